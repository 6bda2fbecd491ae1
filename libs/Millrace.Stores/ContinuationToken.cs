using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Millrace.Stores;

/// <summary>Where a list goes on: its name and the key of the last row given, as text that a URL can carry.</summary>
internal static class ContinuationToken
{
    private const char Separator = '\u001f';

    public static string Write(string list, params object[] key) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(Separator, key.Select(Text).Prepend(list))));

    /// <summary>The key, or an error ST-0002 when it is not one of this list with so many parts.</summary>
    /// <param name="optional">How many more parts there may be.</param>
    public static string[] Read(string list, string token, int parts, int optional = 0)
    {
        try
        {
            var key = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token)).Split(Separator);
            var found = key.Length - 1;
            if (found >= parts && found <= parts + optional && key[0] == list) return key[1..];
        }
        catch (FormatException)
        {
            // Told below, as for a token of another list.
        }

        throw StoreErrors.ContinuationInvalid.With(token).AsException();
    }

    public static long Number(string part, string token) =>
        long.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw StoreErrors.ContinuationInvalid.With(token).AsException();

    private static string Text(object part) => Convert.ToString(part, CultureInfo.InvariantCulture)!;
}
