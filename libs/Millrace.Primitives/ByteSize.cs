using System.ComponentModel;
using System.Globalization;

namespace Millrace.Primitives;

/// <summary>A number of bytes, written <c>4096</c>, <c>64KiB</c>, <c>16MiB</c> or <c>1GiB</c>.</summary>
[TypeConverter(typeof(ByteSizeConverter))]
public readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>
{
    private static readonly (string Suffix, int Shift)[] Units = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("", 0)];

    public static ByteSize FromKiB(long count) => new(count << 10);

    public static ByteSize FromMiB(long count) => new(count << 20);

    public static ByteSize FromGiB(long count) => new(count << 30);

    public static bool TryParse(string? text, out ByteSize size)
    {
        size = default;
        foreach (var (suffix, shift) in Units)
        {
            if (text is null || !text.EndsWith(suffix, StringComparison.Ordinal)) continue;
            var digits = text.AsSpan(0, text.Length - suffix.Length);
            if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) continue;
            if (count > long.MaxValue >> shift) return false;
            size = new ByteSize(count << shift);
            return true;
        }

        return false;
    }

    /// <summary>The size in <paramref name="text"/>, or an error MR-0003.</summary>
    public static ByteSize Parse(string text) =>
        TryParse(text, out var size) ? size : throw PrimitiveErrors.ByteSizeInvalid.With(text).AsException();

    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    public override string ToString()
    {
        foreach (var (suffix, shift) in Units)
        {
            if (Bytes != 0 && Bytes % (1L << shift) == 0) return $"{Bytes >> shift}{suffix}";
        }

        return "0";
    }
}

/// <summary>Lets configuration bind a <see cref="ByteSize"/> from its text.</summary>
internal sealed class ByteSizeConverter : TypeConverter
{
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) =>
        sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        value is string text ? ByteSize.Parse(text) : base.ConvertFrom(context, culture, value);
}
