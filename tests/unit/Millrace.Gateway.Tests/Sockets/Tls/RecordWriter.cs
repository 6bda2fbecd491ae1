using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Gateway.Tests.Sockets.Tls;

/// <summary>
/// A client's records with AES-128-GCM and SHA-256, after its handshake: a library would not cut its messages as a test
/// wants them.
/// </summary>
internal sealed class RecordWriter
{
    public const byte Handshake = 22, Data = 23;

    private const int KeyBytes = 16, IvBytes = 12, TagBytes = 16, ExplicitBytes = 8;

    private readonly bool _isTls13;
    private byte[] _secret = [];
    private byte[] _key = [];
    private byte[] _iv = [];
    private ulong _sequence;

    /// <summary>TLS 1.3 (RFC 8446, 7.3).</summary>
    /// <param name="secret">client_application_traffic_secret_0.</param>
    public RecordWriter(byte[] secret)
    {
        _isTls13 = true;
        Use(secret);
    }

    /// <summary>TLS 1.2 (RFC 5246, 6.3 and RFC 5288, 3), of whose keys the Finished message was the first.</summary>
    public RecordWriter(byte[] master, byte[] clientRandom, byte[] serverRandom)
    {
        const int serverBytes = KeyBytes + 4;
        byte[] seed = [.. "key expansion"u8, .. serverRandom, .. clientRandom];
        byte[] block = [];
        var a = seed;
        while (block.Length < KeyBytes + serverBytes + 4)
        {
            a = HMACSHA256.HashData(master, a);
            block = [.. block, .. HMACSHA256.HashData(master, (byte[])[.. a, .. seed])];
        }

        _key = block[..KeyBytes];
        _iv = [.. block.AsSpan(2 * KeyBytes, 4), .. new byte[ExplicitBytes]];
        _sequence = 1;
    }

    /// <summary>The whole message; its sender's next record has new keys.</summary>
    public static byte[] KeyUpdate(bool asksForTheSame) => [24, 0, 0, 1, asksForTheSame ? (byte)1 : (byte)0];

    public byte[] Send(ReadOnlySpan<byte> data) => Record(Data, data);

    /// <param name="padding">Zeros behind the content, which TLS 1.3 has dropped.</param>
    public byte[] Record(byte type, ReadOnlySpan<byte> content, int padding = 0)
    {
        var number = new byte[ExplicitBytes];
        BinaryPrimitives.WriteUInt64BigEndian(number, _sequence++);
        var nonce = (byte[])_iv.Clone();
        for (var i = 0; i < ExplicitBytes; i++) nonce[IvBytes - ExplicitBytes + i] ^= number[i];
        byte[] plain = _isTls13 ? [.. content, type, .. new byte[padding]] : content.ToArray();
        byte[] start = _isTls13 ? [] : nonce[(IvBytes - ExplicitBytes)..];
        byte[] header = [_isTls13 ? Data : type, 3, 3, .. Length(start.Length + plain.Length + TagBytes)];
        byte[] authentic = _isTls13 ? header : [.. number, type, 3, 3, .. Length(plain.Length)];
        var secret = new byte[plain.Length];
        var tag = new byte[TagBytes];
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(nonce, plain, secret, tag, authentic);
        return [.. header, .. start, .. secret, .. tag];
    }

    /// <summary>From now on; the peer knows by <see cref="KeyUpdate"/>.</summary>
    public void ChangeKeys() => Use(Expand(_secret, "traffic upd", _secret.Length));

    private static byte[] Length(int count) => [(byte)(count >> 8), (byte)count];

    private void Use(byte[] secret)
    {
        _secret = secret;
        _key = Expand(secret, "key", KeyBytes);
        _iv = Expand(secret, "iv", IvBytes);
        _sequence = 0;
    }

    private static byte[] Expand(byte[] secret, string label, int count)
    {
        var name = Encoding.ASCII.GetBytes($"tls13 {label}");
        return HKDF.Expand(HashAlgorithmName.SHA256, secret, count, [.. Length(count), (byte)name.Length, .. name, 0]);
    }
}
