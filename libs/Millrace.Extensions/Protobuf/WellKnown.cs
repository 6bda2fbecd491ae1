using System.Globalization;
using System.Text.Json;

namespace Millrace.Extensions.Protobuf;

/// <summary>The messages of google.protobuf that stand for a value.</summary>
internal static class WellKnown
{
    private const long NanosecondsATick = 100;
    private const long NanosecondsMax = 999_999_999;

    /// <param name="inner">Writes a message within it.</param>
    public static bool TryWrite(MessageFields message, Utf8JsonWriter json, Action<object> inner)
    {
        switch (message.Descriptor.FullName)
        {
            case "google.protobuf.Timestamp":
                json.WriteStringValue(TimeText(Whole(message, 1), Whole(message, 2)));
                return true;
            case "google.protobuf.Duration":
                json.WriteStringValue(SecondsText(Whole(message, 1), Whole(message, 2)));
                return true;
            case "google.protobuf.Struct":
                WriteStruct(message, json, inner);
                return true;
            case "google.protobuf.ListValue":
                WriteAll(message, json, inner);
                return true;
            case "google.protobuf.Value":
                WriteValue(message, json, inner);
                return true;
            case "google.protobuf.DoubleValue" or "google.protobuf.FloatValue" or "google.protobuf.Int64Value"
                or "google.protobuf.UInt64Value" or "google.protobuf.Int32Value" or "google.protobuf.UInt32Value"
                or "google.protobuf.BoolValue" or "google.protobuf.StringValue" or "google.protobuf.BytesValue":
                var field = message.Descriptor.FindFieldByNumber(1);
                Scalars.Write(field, message.Last(field) ?? Scalars.Default(field), json);
                return true;
            default:
                return false;
        }
    }

    private static long Whole(MessageFields message, int number) => (long)(message.Last(number) ?? 0L);

    private static string TimeText(long seconds, long nanoseconds)
    {
        if (seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds()
            || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            throw new FormatException("A Timestamp lies outside the years 1 to 9999.");
        if (nanoseconds is < 0 or > NanosecondsMax)
            throw new FormatException($"The nanoseconds of a Timestamp lie between 0 and {NanosecondsMax}.");
        var time = DateTime.UnixEpoch.AddSeconds(seconds).AddTicks(nanoseconds / NanosecondsATick);
        return time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + "Z";
    }

    private static string SecondsText(long seconds, long nanoseconds)
    {
        if (nanoseconds is < -NanosecondsMax or > NanosecondsMax)
            throw new FormatException($"A Duration has up to {NanosecondsMax} nanoseconds.");
        var sign = seconds < 0 || nanoseconds < 0 ? "-" : "";
        var fraction = nanoseconds == 0
            ? ""
            : "." + Math.Abs(nanoseconds).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        return FormattableString.Invariant($"{sign}{UInt128.CreateTruncating(Int128.Abs(seconds))}{fraction}s");
    }

    private static void WriteStruct(MessageFields message, Utf8JsonWriter json, Action<object> inner)
    {
        json.WriteStartObject();
        var fields = message.Of(message.Descriptor.FindFieldByNumber(1)).Cast<MessageFields>();
        foreach (var same in fields.GroupBy(entry => (string)(entry.Last(1) ?? "")))
        {
            json.WritePropertyName(same.Key);
            if (same.Last().Last(2) is { } value) inner(value);
            else json.WriteNullValue();
        }

        json.WriteEndObject();
    }

    private static void WriteAll(MessageFields message, Utf8JsonWriter json, Action<object> inner)
    {
        json.WriteStartArray();
        foreach (var value in message.Of(message.Descriptor.FindFieldByNumber(1))) inner(value);
        json.WriteEndArray();
    }

    private static void WriteValue(MessageFields message, Utf8JsonWriter json, Action<object> inner)
    {
        var field = message.Descriptor.Fields.InFieldNumberOrder().FirstOrDefault(one => message.Of(one).Count > 0);
        if (field is null || field.FieldNumber == 1) json.WriteNullValue();
        else if (field.FieldNumber >= 5) inner(message.Last(field)!);
        else Scalars.Write(field, message.Last(field)!, json);
    }
}
