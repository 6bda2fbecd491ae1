using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

/// <summary>What a client sent.</summary>
internal sealed record FakeRequest(EnvelopeHeader Header, byte[] Body)
{
    public Opcode Opcode => Header.Opcode;

    /// <summary>The text of a QUERY or a PREPARE.</summary>
    public string Text
    {
        get
        {
            var reader = new WireReader(Body);
            return System.Text.Encoding.UTF8.GetString(reader.Bytes(out _));
        }
    }
}
