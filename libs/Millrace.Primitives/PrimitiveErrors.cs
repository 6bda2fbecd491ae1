namespace Millrace.Primitives;

/// <summary>Errors of values that come from users everywhere.</summary>
public static class PrimitiveErrors
{
    public static readonly ErrorDefinition DeviceIdInvalid = new("MR-0001",
        "The device id is not valid.",
        "A device id has 1 to 128 ASCII letters, digits or any of - : . + % _ # * ? ! ( ) , = @ $ '.",
        "Choose an id of these characters.");

    public static readonly ErrorDefinition DurationInvalid = new("MR-0002",
        "The duration is not valid.",
        "A duration is a whole number followed by ms, s, m, h or d.",
        "Write it like 500ms, 5s, 10m, 1h or 7d.");

    public static readonly ErrorDefinition ByteSizeInvalid = new("MR-0003",
        "The size is not valid.",
        "A size is a whole number, alone or followed by KiB, MiB or GiB.",
        "Write it like 4096, 64KiB, 16MiB or 1GiB.");
}
