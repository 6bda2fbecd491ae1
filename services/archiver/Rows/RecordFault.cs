using System.Text.Unicode;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.Archiver.Rows;

/// <summary>Why a record cannot become a row.</summary>
internal enum RecordFault
{
    None,

    /// <summary>It has no key, and so no device.</summary>
    NoDevice,

    /// <summary>Its key is not UTF-8, or longer than any device id.</summary>
    DeviceUnreadable,

    /// <summary>It is larger than the option allows.</summary>
    TooLarge,

    /// <summary>A header that becomes text is not UTF-8.</summary>
    HeaderUnreadable,

    /// <summary>Its time is not within the years 1 to 9999, which the partition's date can say.</summary>
    TimeUnreadable,
}

internal static class RecordFaults
{
    private static readonly long FirstMs = DateTimeOffset.MinValue.ToUnixTimeMilliseconds();
    private static readonly long LastMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>What is wrong with a record whose key is known to be good when <paramref name="keyKnown"/>.</summary>
    public static RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax)
    {
        if (!record.HasKey || record.Key.IsEmpty) return RecordFault.NoDevice;
        if (record.Bytes.Length > recordBytesMax) return RecordFault.TooLarge;
        if (!keyKnown && (record.Key.Length > DeviceId.LengthMax || !IsText(record.Key)))
            return RecordFault.DeviceUnreadable;
        if (record.TimestampMs < FirstMs || record.TimestampMs > LastMs) return RecordFault.TimeUnreadable;
        foreach (var header in record.Headers)
        {
            if (IsArchived(header.Name) && (!IsText(header.Value) || !IsText(header.Name)))
                return RecordFault.HeaderUnreadable;
        }

        return RecordFault.None;
    }

    public static ErrorDefinition ErrorOf(RecordFault fault) => fault switch
    {
        RecordFault.NoDevice => ArchiverErrors.NoDevice,
        RecordFault.DeviceUnreadable => ArchiverErrors.DeviceUnreadable,
        RecordFault.TooLarge => ArchiverErrors.TooLarge,
        RecordFault.HeaderUnreadable => ArchiverErrors.HeaderUnreadable,
        RecordFault.TimeUnreadable => ArchiverErrors.TimeUnreadable,
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private static bool IsArchived(ReadOnlySpan<byte> name) =>
        name.StartsWith(TelemetryHeaders.ApplicationPrefix) || RowHeaders.IsColumn(name);

    private static bool IsText(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes);
}
