using Millrace.Cql.Wire;

namespace Millrace.Cql.Protocol;

/// <summary>Reads a type: an id, and what it is made of (section 4.2.5.2).</summary>
internal static class TypeReader
{
    // Types within types; the server allows far fewer.
    private const int DepthMax = 32;

    public static CqlType Read(ref WireReader reader, int depth = 0)
    {
        if (depth > DepthMax) throw CqlErrors.ProtocolViolated.With("types nested too deep").AsCql();
        var code = (CqlTypeCode)reader.Short();
        return code switch
        {
            CqlTypeCode.Custom => new CqlType(code) { Name = reader.String() },
            CqlTypeCode.List or CqlTypeCode.Set => new CqlType(code, Read(ref reader, depth + 1)),
            CqlTypeCode.Map => new CqlType(code, Read(ref reader, depth + 1), Read(ref reader, depth + 1)),
            CqlTypeCode.Tuple => new CqlType(code, ReadParts(ref reader, depth)),
            CqlTypeCode.Udt => ReadUdt(ref reader, depth),
            _ when Enum.IsDefined(code) => new CqlType(code),
            _ => throw CqlErrors.ProtocolViolated.With($"type 0x{(int)code:X2}").AsCql(),
        };
    }

    private static CqlType[] ReadParts(ref WireReader reader, int depth)
    {
        var parts = new CqlType[reader.Count(reader.Short(), sizeof(short))];
        for (var i = 0; i < parts.Length; i++) parts[i] = Read(ref reader, depth + 1);
        return parts;
    }

    private static CqlType ReadUdt(ref WireReader reader, int depth)
    {
        reader.String();
        var name = reader.String();
        var fields = new string[reader.Count(reader.Short(), 2 * sizeof(short))];
        var types = new CqlType[fields.Length];
        for (var i = 0; i < fields.Length; i++)
        {
            fields[i] = reader.String();
            types[i] = Read(ref reader, depth + 1);
        }

        return new CqlType(CqlTypeCode.Udt, types) { Name = name, Fields = fields };
    }
}
