using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Millrace.Delta.Log;

/// <summary>Writes a log entry: one action a line, as JSON.</summary>
internal static class ActionWriter
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(IEnumerable<DeltaAction> actions)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Compact);
        foreach (var action in actions)
        {
            json.WriteStartObject();
            Write(json, action);
            json.WriteEndObject();
            json.Flush();
            buffer.Write("\n"u8);
            json.Reset();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, DeltaAction action)
    {
        switch (action)
        {
            case CommitInfo info: Write(json, info); break;
            case Protocol protocol: Write(json, protocol); break;
            case Metadata metadata: Write(json, metadata); break;
            case AddFile add: Write(json, add); break;
            case RemoveFile remove: Write(json, remove); break;
            case SetTransaction transaction: Write(json, transaction); break;
            default: throw new ArgumentOutOfRangeException(nameof(action), action, null);
        }
    }

    private static void Write(Utf8JsonWriter json, CommitInfo info)
    {
        json.WriteStartObject("commitInfo");
        json.WriteNumber("timestamp", info.TimestampMs);
        json.WriteString("operation", info.Operation);
        WriteTexts(json, "operationParameters", info.Details);
        json.WriteBoolean("isBlindAppend", info.IsBlindAppend);
        json.WriteString("engineInfo", "Millrace");
        json.WriteString("txnId", info.Id);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Protocol protocol)
    {
        json.WriteStartObject("protocol");
        json.WriteNumber("minReaderVersion", protocol.MinReaderVersion);
        json.WriteNumber("minWriterVersion", protocol.MinWriterVersion);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Metadata metadata)
    {
        json.WriteStartObject("metaData");
        json.WriteString("id", metadata.Id);
        json.WriteStartObject("format");
        json.WriteString("provider", "parquet");
        json.WriteStartObject("options");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteString("schemaString", metadata.Schema.ToJson());
        json.WriteStartArray("partitionColumns");
        foreach (var column in metadata.PartitionColumns) json.WriteStringValue(column);
        json.WriteEndArray();
        WriteTexts(json, "configuration", metadata.Configuration);
        json.WriteNumber("createdTime", metadata.CreatedTimeMs);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, AddFile add)
    {
        json.WriteStartObject("add");
        json.WriteString("path", add.Path);
        json.WriteStartObject("partitionValues");
        foreach (var (column, value) in add.PartitionValues) json.WriteString(column, value);
        json.WriteEndObject();
        json.WriteNumber("size", add.Bytes);
        json.WriteNumber("modificationTime", add.ModificationTimeMs);
        json.WriteBoolean("dataChange", add.DataChange);
        if (add.Stats is not null) json.WriteString("stats", StatsText(add.Stats));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RemoveFile remove)
    {
        json.WriteStartObject("remove");
        json.WriteString("path", remove.Path);
        json.WriteNumber("deletionTimestamp", remove.DeletionTimestampMs);
        json.WriteBoolean("dataChange", remove.DataChange);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, SetTransaction transaction)
    {
        json.WriteStartObject("txn");
        json.WriteString("appId", transaction.AppId);
        json.WriteNumber("version", transaction.Version);
        json.WriteNumber("lastUpdated", transaction.LastUpdatedMs);
        json.WriteEndObject();
    }

    /// <summary>The protocol has statistics as JSON within a JSON string.</summary>
    public static string StatsText(FileStats stats)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Compact))
        {
            json.WriteStartObject();
            json.WriteNumber("numRecords", stats.Records);
            WriteValues(json, "minValues", stats, column => column.Min);
            WriteValues(json, "maxValues", stats, column => column.Max);
            WriteValues(json, "nullCount", stats, column => column.NullCount);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> texts)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in texts) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void WriteValues(
        Utf8JsonWriter json, string name, FileStats stats, Func<ColumnStats, object?> value)
    {
        json.WriteStartObject(name);
        foreach (var column in stats.Columns)
        {
            switch (value(column))
            {
                case string text: json.WriteString(column.Column, text); break;
                case long number: json.WriteNumber(column.Column, number); break;
                case double number when double.IsFinite(number): json.WriteNumber(column.Column, number); break;
            }
        }

        json.WriteEndObject();
    }
}
