namespace Millrace.Hostile.Attacks;

/// <summary>Text that is not UTF-8, or holds what it may not, everywhere where text stands.</summary>
public sealed class WrongUtf8 : IAttack
{
    private static readonly byte[][] Texts =
    [
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [(byte)'a', 0],
        [0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
    ];

    public string Name => "wrong UTF-8";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var text = Wire.Binary(Texts[random.Next(Texts.Length)]);
        var place = random.Next(6);
        using var socket = place < 2
            ? await AttackSocket.OpenAsync(target, random, stop)
            : await AttackSocket.LoginAsync(target, random, stop);
        await socket.SendAsync(place switch
        {
            0 => Wire.Packet(0x10, Wire.Text("MQTT"), [5, 2, 0, 0, 0], text),
            1 => Wire.Packet(0x10, Wire.Text("MQTT"), [5, 0x82, 0, 0, 0], Wire.Text("c"), text),
            2 => Wire.Packet(0x30, text, [0]),
            3 => Wire.Packet(0x82, Wire.UInt16(1), [0], text, [1]),
            4 => Wire.Publish("telemetry", 1, [1], properties: [38, .. text, .. text]),
            _ => Wire.Publish("telemetry", 1, [1], properties: [3, .. text]),
        }, stop);
        await socket.ReadAsync(TimeSpan.FromMilliseconds(50), stop);
    }
}

/// <summary>Topics, properties and packets beyond every bound.</summary>
public sealed class Oversized : IAttack
{
    public string Name => "oversized";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        using var socket = await AttackSocket.LoginAsync(target, random, stop);
        byte[] property = [38, .. Wire.Text("n"), .. Wire.Text("v")];
        switch (random.Next(6))
        {
            case 0: await socket.SendAsync(Wire.Publish(new string('t', 65_000), 1, [1]), stop); break;
            case 1: await socket.SendAsync(Wire.Publish(new string('/', 65_000), 1, [1]), stop); break;
            case 2:
                byte[] many = [.. Enumerable.Repeat(property, 20_000).SelectMany(each => each)];
                await socket.SendAsync(Wire.Publish("telemetry", 1, [1], properties: many), stop);
                break;
            case 3: await socket.SendAsync(Wire.Publish("telemetry", 1, new byte[1 << 20]), stop); break;
            case 4: await socket.SendAsync([0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 9], stop); break;
            default:
                // Sixteen aliases that would be a megabyte if they were kept.
                for (var i = 1; i <= 16; i++)
                {
                    var topic = $"telemetry/{i}/{new string('t', 60_000)}";
                    await socket.SendAsync(Wire.Publish(topic, i, [1], properties: [35, 0, (byte)i]), stop);
                }

                break;
        }

        await socket.ReadAsync(TimeSpan.FromMilliseconds(100), stop);
    }
}

/// <summary>Topic aliases and packet identifiers as they may not be used.</summary>
public sealed class IdAbuse : IAttack
{
    public string Name => "alias and packet id abuse";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var level = random.Next(4, 6);
        using var socket = await AttackSocket.LoginAsync(target, random, stop, level);
        var packets = Enumerable.Range(0, 300).SelectMany(i => random.Next(12) switch
        {
            0 => Wire.Publish("", 1, [1], properties: [35, .. Wire.UInt16(random.Next(20))]),
            1 => Wire.Publish("telemetry/x", 1, [1], properties: [35, .. Wire.UInt16(random.Next(65_536))]),
            2 => Wire.Packet(random.Next(4, 8) << 4, Wire.UInt16(random.Next(65_536))),
            3 => Wire.Packet(0x62, Wire.UInt16(random.Next(65_536))),
            4 => Wire.Publish("telemetry", 0, [1], 1, null, level),
            _ => Wire.Publish("telemetry", 7, [1], 1, null, level),
        });
        await socket.SendAsync([.. packets], stop);
        await socket.ReadAsync(TimeSpan.FromMilliseconds(50), stop);
    }
}

/// <summary>QoS 2 exchanges that are begun under every identifier and never ended.</summary>
public sealed class ExchangeAbuse : IAttack
{
    public string Name => "QoS 2 exhaustion";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var level = random.Next(4, 6);
        using var socket = await AttackSocket.LoginAsync(target, random, stop, level);
        for (var id = 1; id <= ushort.MaxValue; id += 500)
        {
            var begun = Enumerable.Range(id, Math.Min(500, ushort.MaxValue - id + 1))
                .SelectMany(each => Wire.Publish("telemetry", each, [2], 2, null, level));
            await socket.SendAsync([.. begun], stop);
        }

        await socket.ReadAsync(TimeSpan.FromMilliseconds(50), stop);
    }
}
