using System.Globalization;
using System.Text;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// A group's key as text for a row's identity: values parted by commas; text in quotes, so that no two keys look alike.
/// </summary>
internal static class GroupKey
{
    public static string Text(ReadOnlySpan<Value> keys)
    {
        if (keys.IsEmpty) return "";
        var text = new StringBuilder();
        foreach (ref readonly var key in keys)
        {
            if (text.Length > 0) text.Append(',');
            Append(text, ValueCodec.Canonical(key));
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, in Value key)
    {
        switch (key.Kind)
        {
            case ValueKind.Null:
                text.Append("null");
                break;
            case ValueKind.Bit:
                text.Append(key.Bit ? "true" : "false");
                break;
            case ValueKind.BigInt:
                text.Append(CultureInfo.InvariantCulture, $"{key.Integer}");
                break;
            case ValueKind.Float:
                text.Append(key.Number.ToString("R", CultureInfo.InvariantCulture));
                break;
            case ValueKind.DateTime:
                text.Append(CultureInfo.InvariantCulture, $"{new DateTime(key.Ticks):yyyy-MM-ddTHH:mm:ss.fffffff}Z");
                break;
            case ValueKind.Text:
                text.Append('\'').Append(Encoding.UTF8.GetString(key.Utf8).Replace("'", "''")).Append('\'');
                break;
            default:
                text.Append(Encoding.UTF8.GetString(key.Utf8));
                break;
        }
    }
}
