using System.Buffers;

namespace Millrace.ObjectStore;

/// <summary>The rule for keys, the same for every store, so that what one takes every other takes too.</summary>
public static class ObjectKey
{
    /// <summary>The longest key, in characters, which are bytes too.</summary>
    public const int LengthMax = 1024;

    /// <summary>The longest segment: file systems end at 255.</summary>
    public const int SegmentLengthMax = 255;

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=%/");

    /// <summary>
    /// Whether the key names an object: segments of letters, digits and <c>- _ . = %</c> that do not begin with a dot
    /// (so neither <c>..</c> nor hidden files), separated by <c>/</c>, none of them empty.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<char> key)
    {
        if (key.Length is 0 or > LengthMax || key.ContainsAnyExcept(Allowed)) return false;
        foreach (var segment in key.Split('/'))
        {
            var text = key[segment];
            if (text.Length is 0 or > SegmentLengthMax || text[0] == '.') return false;
        }

        return true;
    }

    /// <summary>The key when it is valid, else an error OB-0001.</summary>
    public static string Check(string key) =>
        IsValid(key) ? key : throw ObjectStoreErrors.KeyInvalid.With(key).AsException();
}
