namespace Millrace.Cql;

/// <summary>The protocol's type ids (section 4.2.5.2, [option]).</summary>
public enum CqlTypeCode : ushort
{
    Custom = 0x00,
    Ascii = 0x01,
    Bigint = 0x02,
    Blob = 0x03,
    Boolean = 0x04,
    Counter = 0x05,
    Decimal = 0x06,
    Double = 0x07,
    Float = 0x08,
    Int = 0x09,
    Timestamp = 0x0B,
    Uuid = 0x0C,
    Text = 0x0D,
    Varint = 0x0E,
    Timeuuid = 0x0F,
    Inet = 0x10,
    Date = 0x11,
    Time = 0x12,
    Smallint = 0x13,
    Tinyint = 0x14,
    Duration = 0x15,
    List = 0x20,
    Map = 0x21,
    Set = 0x22,
    Udt = 0x30,
    Tuple = 0x31,
}

/// <summary>The type of a column, a marker or an element.</summary>
public sealed class CqlType
{
    internal CqlType(CqlTypeCode code, params CqlType[] arguments)
    {
        Code = code;
        Arguments = arguments;
    }

    public CqlTypeCode Code { get; }

    /// <summary>Element of a list or set; key and value of a map; parts of a tuple; field types of a udt.</summary>
    public IReadOnlyList<CqlType> Arguments { get; }

    /// <summary>The udt's name, or the class of a custom type; else empty.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>Names of a udt's fields, in the order of <see cref="Arguments"/>.</summary>
    public IReadOnlyList<string> Fields { get; internal init; } = [];

    /// <summary>As CQL writes it.</summary>
    public override string ToString()
    {
        var arguments = string.Join(", ", Arguments);
        return Code switch
        {
            CqlTypeCode.Udt => Name,
            CqlTypeCode.Custom => $"'{Name}'",
            _ when Arguments.Count > 0 => $"{Code.ToString().ToLowerInvariant()}<{arguments}>",
            _ => Code.ToString().ToLowerInvariant(),
        };
    }
}
