using System.Text;

namespace Millrace.TestKit;

/// <summary>An ONNX model, encoded by hand: the weighted sum of its features.</summary>
public static class TinyOnnx
{
    private const int Float = 1;

    public static byte[] WeightedSum(params float[] weights)
    {
        var node = Field(1, Field(1, "x"), Field(1, "w"), Field(2, "y"), Field(4, "MatMul"));
        var initializer = Field(5, Number(1, weights.Length), Number(1, 1), Number(2, Float), Field(8, "w"),
            Field(9, [.. weights.SelectMany(BitConverter.GetBytes)]));
        var graph = Field(7, node, Field(2, "g"), initializer,
            Field(11, Field(1, "x"), Shape(weights.Length)), Field(12, Field(1, "y"), Shape(1)));
        return [.. Number(1, 8), .. graph, .. Field(8, Field(1, ""), Number(2, 13))];
    }

    /// <summary>A tensor of floats, [N, columns].</summary>
    private static byte[] Shape(int columns) => Field(2, Field(1, Number(1, Float),
        Field(2, Field(1, Field(2, "N")), Field(1, Number(1, columns)))));

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, params byte[][] parts)
    {
        byte[] content = [.. parts.SelectMany(part => part)];
        return [.. Varint((number << 3) | 2), .. Varint(content.Length), .. content];
    }

    private static byte[] Number(int number, int value) => [.. Varint(number << 3), .. Varint(value)];

    private static IEnumerable<byte> Varint(int value)
    {
        for (; value >= 0x80; value >>= 7) yield return (byte)(value | 0x80);
        yield return (byte)value;
    }
}
