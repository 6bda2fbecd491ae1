namespace Millrace.Hostile.Attacks;

/// <summary>Packets that follow the grammar, with values that do not fit.</summary>
public sealed class GrammarFuzz : IAttack
{
    private static readonly int[] Numbers = [0, 1, 2, 127, 128, 255, 16_383, 16_384, 65_535];

    public string Name => "grammar fuzz";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var level = random.Next(4, 6);
        using var socket = random.Next(4) == 0
            ? await AttackSocket.OpenAsync(target, random, stop)
            : await AttackSocket.LoginAsync(target, random, stop, level);
        byte[] packets = [.. Enumerable.Range(0, random.Next(1, 20)).SelectMany(_ => Packet(random, level))];
        await socket.SendAsync(packets, stop);
        await socket.ReadAsync(TimeSpan.FromMilliseconds(20), stop);
    }

    private static byte[] Packet(Random random, int level)
    {
        var type = random.Next(16);
        var flags = random.Next(3) == 0 ? random.Next(16) : type is 6 or 8 or 10 ? 2 : 0;
        if (type == 3) flags = random.Next(16);
        var fields = new List<byte[]>();
        if (type == 1) fields.AddRange([Wire.Text("MQTT"), [(byte)level, (byte)random.Next(256), 0, 10]]);
        if (type == 3) fields.Add(Text(random));
        if (random.Next(8) != 0) fields.Add(Wire.UInt16(Number(random)));
        if (level == 5) fields.Add(Properties(random));
        for (var i = random.Next(4); i > 0; i--) fields.AddRange([Text(random), [(byte)random.Next(256)]]);
        return Wire.Packet((type << 4) | flags, [.. fields]);
    }

    private static byte[] Properties(Random random)
    {
        var bytes = new List<byte>();
        for (var i = random.Next(5); i > 0; i--)
        {
            bytes.Add((byte)random.Next(random.Next(4) == 0 ? 256 : 43));
            bytes.AddRange(random.Next(3) switch
            {
                0 => Text(random),
                1 => Wire.UInt16(Number(random)),
                _ => [.. Text(random), .. Text(random)],
            });
        }

        var length = random.Next(10) == 0 ? Number(random) : bytes.Count;
        return [.. Wire.VarInt(length), .. bytes];
    }

    private static byte[] Text(Random random)
    {
        var bytes = new byte[random.Next(6) == 0 ? Number(random) % 2_000 : random.Next(20)];
        random.NextBytes(bytes);
        if (random.Next(4) != 0) bytes = [.. bytes.Select(each => (byte)('a' + each % 26))];
        var length = random.Next(10) == 0 ? Number(random) : bytes.Length;
        return [.. Wire.UInt16(length), .. bytes];
    }

    private static int Number(Random random) => Numbers[random.Next(Numbers.Length)];
}
