using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Millrace.Cql.Wire;

/// <summary>Reads the protocol's notation (section 3). What runs past the end is a CQ-9005.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly int Remaining => _rest.Length;

    public ReadOnlySpan<byte> Raw(int count)
    {
        if ((uint)count > (uint)_rest.Length) throw TooShort();
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public byte Byte() => Raw(1)[0];

    public int Short() => BinaryPrimitives.ReadUInt16BigEndian(Raw(2));

    public int Int() => BinaryPrimitives.ReadInt32BigEndian(Raw(4));

    public long Long() => BinaryPrimitives.ReadInt64BigEndian(Raw(8));

    public Guid Uuid() => new(Raw(16), bigEndian: true);

    public string String() => Encoding.UTF8.GetString(Raw(Short()));

    public ReadOnlySpan<byte> ShortBytes() => Raw(Short());

    /// <summary>[bytes]; null is an empty span with <paramref name="isNull"/>.</summary>
    public ReadOnlySpan<byte> Bytes(out bool isNull)
    {
        var length = Int();
        isNull = length < 0;
        return isNull ? default : Raw(length);
    }

    public string[] StringList()
    {
        var list = new string[Count(Short(), bytesEach: 2)];
        for (var i = 0; i < list.Length; i++) list[i] = String();
        return list;
    }

    /// <summary>[inetaddr]: 4 or 16 bytes after their number.</summary>
    public IPAddress Address() => Byte() switch
    {
        4 => new IPAddress(Raw(4)),
        16 => new IPAddress(Raw(16)),
        var size => throw CqlErrors.ProtocolViolated.With($"an address of {size} bytes").AsCql(),
    };

    public IPEndPoint Inet()
    {
        var (address, port) = (Address(), Int());
        return port is >= IPEndPoint.MinPort and <= IPEndPoint.MaxPort
            ? new IPEndPoint(address, port)
            : throw CqlErrors.ProtocolViolated.With($"port {port}").AsCql();
    }

    /// <summary>A count that the rest can hold, so that nothing is allocated for a lie.</summary>
    public readonly int Count(int claimed, int bytesEach) =>
        claimed >= 0 && (long)claimed * bytesEach <= _rest.Length ? claimed : throw TooShort();

    private static CqlException TooShort() =>
        CqlErrors.ProtocolViolated.With("a message that ends too early").AsCql();
}
