using Millrace.Cql.Protocol;
using Millrace.Cql.Types;
using Millrace.Cql.Wire;

namespace Millrace.Cql;

/// <summary>
/// CQL as text, with values for its <c>?</c> markers whose CQL types follow from the .NET types. For what is executed
/// more than once, prepare it.
/// </summary>
public sealed class SimpleStatement(string text, params object?[] values) : CqlStatement
{
    private readonly WireBuffer _values = Encode(values);

    internal override Opcode Opcode => Opcode.Query;

    internal override string Operation => OperationName.Of(text);

    internal override string? ParameterizedText => values.Length > 0 ? text : null;

    internal override void Write(WireBuffer buffer, int version)
    {
        buffer.LongString(text);
        QueryParameters.Write(buffer, version, this, values.Length, _values.Written, skipMetadata: false);
    }

    internal override void Check()
    {
    }

    internal override bool TryGetToken(out long token)
    {
        token = 0;
        return false;
    }

    private static WireBuffer Encode(object?[] values)
    {
        var buffer = new WireBuffer(values.Length * 16);
        foreach (var value in values) SimpleValue.Write(buffer, value);
        return buffer;
    }
}
