using System.Text.Json;
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

    /// <summary>A header that becomes text is not UTF-8, or there are too many of them.</summary>
    HeaderUnreadable,

    /// <summary>Its time is not within the years 1 to 9999, or too far ahead of the clock to be believed.</summary>
    TimeUnreadable,

    /// <summary>A query's row that is no JSON.</summary>
    RowUnreadable,
}

internal static class RecordFaults
{
    /// <summary>What is wrong with telemetry whose key is known to be good when <paramref name="keyKnown"/>.</summary>
    public static RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax, long latestMs)
    {
        if (!record.HasKey || record.Key.IsEmpty) return RecordFault.NoDevice;
        if (FindInPlace(record, keyKnown, recordBytesMax, latestMs) is not RecordFault.None and var fault) return fault;
        foreach (var header in record.Headers)
        {
            if (IsArchived(header.Name) && (!IsText(header.Value) || !IsText(header.Name)))
                return RecordFault.HeaderUnreadable;
        }

        return RecordFault.None;
    }

    /// <summary>The same of a query's row, which need not be of one device.</summary>
    public static RecordFault FindInOutput(RecordView record, bool keyKnown, long recordBytesMax, long latestMs)
    {
        if (FindInPlace(record, keyKnown, recordBytesMax, latestMs) is not RecordFault.None and var fault) return fault;
        var row = OutputRecord.Of(record);
        if (!IsText(row.RowId) || !IsText(row.Query)) return RecordFault.HeaderUnreadable;
        if (!RecordDefects.IsTime(row.AtMs) || row.AtMs > latestMs) return RecordFault.TimeUnreadable;
        return IsText(record.Value) && IsJson(record.Value) ? RecordFault.None : RecordFault.RowUnreadable;
    }

    public static ErrorDefinition ErrorOf(RecordFault fault) => fault switch
    {
        RecordFault.NoDevice => ArchiverErrors.NoDevice,
        RecordFault.DeviceUnreadable => ArchiverErrors.DeviceUnreadable,
        RecordFault.TooLarge => ArchiverErrors.TooLarge,
        RecordFault.HeaderUnreadable => ArchiverErrors.HeaderUnreadable,
        RecordFault.TimeUnreadable => ArchiverErrors.TimeUnreadable,
        RecordFault.RowUnreadable => ArchiverErrors.RowUnreadable,
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private static RecordFault FindInPlace(RecordView record, bool keyKnown, long recordBytesMax, long latestMs)
    {
        if (record.Bytes.Length > recordBytesMax) return RecordFault.TooLarge;
        if (!keyKnown && (record.Key.Length > DeviceId.LengthMax || !IsText(record.Key)))
            return RecordFault.DeviceUnreadable;
        return RecordDefects.Find(record, latestMs) switch
        {
            RecordDefect.Time => RecordFault.TimeUnreadable,
            RecordDefect.HeadersCut => RecordFault.HeaderUnreadable,
            _ => RecordFault.None,
        };
    }

    private static bool IsArchived(ReadOnlySpan<byte> name) =>
        name.StartsWith(TelemetryHeaders.ApplicationPrefix) || RowHeaders.IsColumn(name);

    private static bool IsJson(ReadOnlySpan<byte> value)
    {
        try
        {
            var reader = new Utf8JsonReader(value);
            while (reader.Read())
            {
                // Whether it can be read to its end is all that is asked.
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsText(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes);
}
