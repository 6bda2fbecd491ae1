using System.Text;

namespace Millrace.Saql.Tests;

/// <summary>Avro object container files of one block.</summary>
internal static class AvroFile
{
    /// <param name="count">How many records the block says that it has.</param>
    public static byte[] Of(string schema, long count, byte[] block)
    {
        var file = new List<byte>(Encoding.UTF8.GetBytes("Obj\u0001"));
        Long(1);
        Text("avro.schema");
        Text(schema);
        Long(0);
        file.AddRange(new byte[16]);
        Long(count);
        Long(block.Length);
        file.AddRange(block);
        file.AddRange(new byte[16]);
        return [.. file];

        void Long(long number)
        {
            var zigzag = (ulong)((number << 1) ^ (number >> 63));
            for (; zigzag >= 0x80; zigzag >>= 7) file.Add((byte)(zigzag | 0x80));
            file.Add((byte)zigzag);
        }

        void Text(string text)
        {
            Long(Encoding.UTF8.GetByteCount(text));
            file.AddRange(Encoding.UTF8.GetBytes(text));
        }
    }
}
