using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Millrace.Primitives;

/// <summary>
/// A device's name within its hub: 1 to 128 ASCII letters, digits and the marks that Azure IoT Hub allows.
/// Case matters.
/// </summary>
public readonly record struct DeviceId : IComparable<DeviceId>
{
    /// <summary>The longest id, in characters, which are bytes too.</summary>
    public const int LengthMax = 128;

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:.+%_#*?!(),=@$'");

    private readonly string? _value;

    private DeviceId(string value) => _value = value;

    /// <summary>The id as text; empty for the default value, which names no device.</summary>
    public string Value => _value ?? "";

    /// <summary>Takes <paramref name="text"/> when it is a legal id.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out DeviceId id)
    {
        var legal = IsValid(text);
        id = legal ? new DeviceId(text!) : default;
        return legal;
    }

    /// <summary>Whether <paramref name="text"/> is a legal id.</summary>
    public static bool IsValid(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= LengthMax && !text.ContainsAnyExcept(Allowed);

    /// <summary>The id in <paramref name="text"/>, or a <see cref="MillraceException"/> with code MR-0001.</summary>
    public static DeviceId Parse(string text) =>
        TryParse(text, out var id) ? id : throw PrimitiveErrors.DeviceIdInvalid.With(text).AsException();

    public int CompareTo(DeviceId other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;
}
