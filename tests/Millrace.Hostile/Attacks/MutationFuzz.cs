namespace Millrace.Hostile.Attacks;

/// <summary>A conversation as it should be, with a few bytes changed, left out or put in.</summary>
public sealed class MutationFuzz : IAttack
{
    public string Name => "mutation fuzz";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var device = target.AnyDevice(random);
        var level = random.Next(4, 6);
        using var socket = await AttackSocket.OpenAsync(target, random, stop);
        byte[] connect = Wire.Connect(device, target.Key, level, clientId: $"c{random.Next()}");
        byte[] rest =
        [
            .. Wire.Publish("telemetry", 1, "{\"t\":1}"u8.ToArray(), 1, null, level),
            .. Wire.Publish($"devices/{device}/messages/events/a=1", 2, "x"u8.ToArray(), 1, null, level),
            .. Wire.Packet(0x82, Wire.UInt16(3), level == 5 ? [0] : [], Wire.Text($"devices/{device}/#"), [1]),
            .. Wire.Publish("telemetry/a", 0, "y"u8.ToArray(), 0, null, level),
            .. Wire.Ping,
            .. Wire.Packet(0xA2, Wire.UInt16(4), level == 5 ? [0] : [], Wire.Text("a")),
        ];
        var inConnect = random.Next(4) == 0;
        await socket.SendAsync(inConnect ? Mutate(connect, random) : connect, stop);
        await socket.SendAsync(inConnect ? rest : Mutate(rest, random), stop);
        await socket.ReadAsync(TimeSpan.FromMilliseconds(20), stop);
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var mutated = bytes.ToList();
        for (var i = random.Next(1, 5); i > 0 && mutated.Count > 1; i--)
        {
            var at = random.Next(mutated.Count);
            switch (random.Next(4))
            {
                case 0: mutated[at] = (byte)random.Next(256); break;
                case 1: mutated[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: mutated.RemoveRange(at, random.Next(mutated.Count - at)); break;
                default: mutated.Insert(at, (byte)random.Next(256)); break;
            }
        }

        return [.. mutated];
    }
}
