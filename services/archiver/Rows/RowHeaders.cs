using Millrace.Contracts;

namespace Millrace.Archiver.Rows;

/// <summary>The headers that become columns, found in one walk. Spans into the record.</summary>
internal ref struct RowHeaders
{
    public ReadOnlySpan<byte> ContentType;
    public ReadOnlySpan<byte> ContentEncoding;
    public ReadOnlySpan<byte> MessageId;
    public ReadOnlySpan<byte> ModuleId;
    public ReadOnlySpan<byte> CreationTime;

    /// <summary>Which of them were there: an empty header is not a missing one.</summary>
    public bool HasContentType;
    public bool HasContentEncoding;
    public bool HasMessageId;
    public bool HasModuleId;

    public static bool IsColumn(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(TelemetryHeaders.ContentType) || name.SequenceEqual(TelemetryHeaders.ContentEncoding)
        || name.SequenceEqual(TelemetryHeaders.MessageId) || name.SequenceEqual(TelemetryHeaders.ModuleId);

    /// <summary>Takes the header when it is one of the columns'; false when it is another.</summary>
    public bool TryTake(RecordView.Header header)
    {
        switch (header.Name.Length)
        {
            case 12 when header.Name.SequenceEqual(TelemetryHeaders.ContentType):
                ContentType = header.Value;
                return HasContentType = true;
            case 16 when header.Name.SequenceEqual(TelemetryHeaders.ContentEncoding):
                ContentEncoding = header.Value;
                return HasContentEncoding = true;
            case 10 when header.Name.SequenceEqual(TelemetryHeaders.MessageId):
                MessageId = header.Value;
                return HasMessageId = true;
            case 9 when header.Name.SequenceEqual(TelemetryHeaders.ModuleId):
                ModuleId = header.Value;
                return HasModuleId = true;
            case 13 when header.Name.SequenceEqual(TelemetryHeaders.CreationTime):
                CreationTime = header.Value;
                return true;
            default:
                return false;
        }
    }
}
