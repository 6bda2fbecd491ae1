using System.Buffers.Binary;

namespace Millrace.Cql.Wire;

[Flags]
internal enum EnvelopeFlags : byte
{
    None = 0,

    /// <summary>The body is compressed; only before v5, where frames are.</summary>
    Compressed = 0x01,
    Tracing = 0x02,
    CustomPayload = 0x04,
    Warning = 0x08,
}

/// <summary>The nine bytes before each message (section 2.1).</summary>
internal readonly record struct EnvelopeHeader(
    byte Version, EnvelopeFlags Flags, short Stream, Opcode Opcode, int Length)
{
    public const int Size = 9;

    private const byte ResponseBit = 0x80;

    public bool IsResponse => (Version & ResponseBit) != 0;

    public int ProtocolVersion => Version & ~ResponseBit;

    public static EnvelopeHeader Read(ReadOnlySpan<byte> bytes) => new(
        bytes[0], (EnvelopeFlags)bytes[1], BinaryPrimitives.ReadInt16BigEndian(bytes[2..]), (Opcode)bytes[4],
        BinaryPrimitives.ReadInt32BigEndian(bytes[5..]));

    public void Write(Span<byte> bytes)
    {
        bytes[0] = Version;
        bytes[1] = (byte)Flags;
        BinaryPrimitives.WriteInt16BigEndian(bytes[2..], Stream);
        bytes[4] = (byte)Opcode;
        BinaryPrimitives.WriteInt32BigEndian(bytes[5..], Length);
    }
}

/// <summary>Kinds of messages (section 2.3.1).</summary>
internal enum Opcode : byte
{
    Error = 0x00,
    Startup = 0x01,
    Ready = 0x02,
    Authenticate = 0x03,
    Options = 0x05,
    Supported = 0x06,
    Query = 0x07,
    Result = 0x08,
    Prepare = 0x09,
    Execute = 0x0A,
    Register = 0x0B,
    Event = 0x0C,
    Batch = 0x0D,
    AuthChallenge = 0x0E,
    AuthResponse = 0x0F,
    AuthSuccess = 0x10,
}
