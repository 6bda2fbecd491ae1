using Millrace.Cql.Wire;

namespace Millrace.Cql.Protocol;

/// <summary>A request that can be written into an envelope, as often as it must be sent.</summary>
internal interface IMessage
{
    Opcode Opcode { get; }

    EnvelopeFlags Flags { get; }

    /// <summary>Writes the body.</summary>
    void Write(WireBuffer buffer, int version);
}

/// <summary>Requests that are sent now and then: an opcode and how its body is written.</summary>
internal sealed class Message(Opcode opcode, Action<WireBuffer, int>? write = null) : IMessage
{
    public static readonly Message Options = new(Opcode.Options);

    public Opcode Opcode => opcode;

    public EnvelopeFlags Flags => EnvelopeFlags.None;

    public static Message Startup(bool compress) => new(Opcode.Startup, (buffer, _) =>
    {
        buffer.Short(compress ? 4 : 3);
        Pair("CQL_VERSION", "3.0.0");
        Pair("DRIVER_NAME", "Millrace.Cql");
        Pair("DRIVER_VERSION", typeof(Message).Assembly.GetName().Version!.ToString(3));
        if (compress) Pair("COMPRESSION", "lz4");

        void Pair(string key, string value)
        {
            buffer.String(key);
            buffer.String(value);
        }
    });

    /// <summary>SASL PLAIN: a zero byte before the name and one before the password.</summary>
    public static Message PlainCredentials(string username, string password) => new(Opcode.AuthResponse,
        (buffer, _) =>
        {
            var start = buffer.BeginLength();
            buffer.Byte(0);
            buffer.Utf8(username);
            buffer.Byte(0);
            buffer.Utf8(password);
            buffer.EndLength(start);
        });

    public static Message Register(params string[] events) => new(Opcode.Register, (buffer, _) =>
    {
        buffer.Short(events.Length);
        foreach (var name in events) buffer.String(name);
    });

    public static Message Prepare(string text) => new(Opcode.Prepare, (buffer, version) =>
    {
        buffer.LongString(text);
        if (version >= 5) buffer.Int(0);
    });

    /// <summary>A statement of the client itself, without values, at consistency ONE.</summary>
    public static Message Query(string text) => new(Opcode.Query, (buffer, version) =>
    {
        buffer.LongString(text);
        buffer.Short((int)Consistency.One);
        if (version >= 5) buffer.Int(0);
        else buffer.Byte(0);
    });

    public void Write(WireBuffer buffer, int version) => write?.Invoke(buffer, version);
}
