namespace Millrace.Archiver.Rewriting;

/// <summary>The columns that rows of telemetry have.</summary>
internal sealed class TelemetryRows(RowSet rows)
{
    public RowSet All { get; } = rows;

    public TextColumn Module { get; } = rows.Text("module_id");

    public ValueColumn<long> EventAt { get; } = rows.Value<long>("event_at");

    public TextColumn ContentType { get; } = rows.Text("content_type");

    public TextColumn ContentEncoding { get; } = rows.Text("content_encoding");

    public TextColumn MessageId { get; } = rows.Text("message_id");

    public MapLeafColumn PropertyNames { get; } = (MapLeafColumn)rows.Find("properties.key_value.key");

    public MapLeafColumn PropertyValues { get; } = (MapLeafColumn)rows.Find("properties.key_value.value");

    public TextColumn Body { get; } = rows.Text("body");
}
