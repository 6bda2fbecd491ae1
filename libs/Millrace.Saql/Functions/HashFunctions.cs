using System.Security.Cryptography;
using System.Text;
using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>Hashes of text, as hexadecimal digits.</summary>
internal static class HashFunctions
{
    public static IEnumerable<Function> All { get; } =
    [
        new("HASHBYTES", [Parameter.Text, Parameter.Text], ValueKind.Text, HashBytes),
        new("CRC32", [Parameter.Text], ValueKind.BigInt, static (_, values) =>
            Value.Of((long)Crc32(values[0].Utf8))),
    ];

    private static Value HashBytes(Frame frame, ReadOnlySpan<Value> values)
    {
        var bytes = values[1].Utf8;
        var name = Encoding.UTF8.GetString(values[0].Utf8);
        var hash = name.ToUpperInvariant() switch
        {
            "SHA2_256" or "SHA256" => SHA256.HashData(bytes),
            "SHA2_512" or "SHA512" => SHA512.HashData(bytes),
            _ => null,
        };
        return hash is null
            ? frame.Fail(SaqlErrors.BadArgumentValue, $"HASHBYTES knows SHA2_256 and SHA2_512; found '{name}'.")
            : frame.Arena.Add(Convert.ToHexStringLower(hash));
    }

    /// <summary>The polynomial of Ethernet and zip, reflected.</summary>
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var octet in bytes)
        {
            crc ^= octet;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }

        return ~crc;
    }
}
