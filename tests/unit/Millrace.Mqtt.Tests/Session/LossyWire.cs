using System.Buffers;
using Millrace.Mqtt.Codec;

namespace Millrace.Mqtt.Tests.Session;

/// <summary>Brings some bytes at a time, each way; when it breaks, what is on the way is gone.</summary>
internal sealed class LossyWire(ModelClient client, ModelServer server)
{
    private const int BytesAtOnce = 40;

    private readonly List<byte> _up = [];
    private readonly List<byte> _down = [];
    private readonly List<byte> _atServer = [];
    private readonly List<byte> _atClient = [];
    private bool _isUp;

    public int Breaks { get; private set; }

    public void Step(Random random, bool breaks)
    {
        if (!_isUp)
        {
            Write(_up, client.Connect);
            _isUp = true;
        }

        switch (random.Next(breaks ? 60 : 40))
        {
            case < 15:
                Move(_up, _atServer, random);
                while (TryTake(_atServer, out var header, out var body))
                    Write(_down, target => server.Take(header, body, target));
                break;
            case < 30:
                Move(_down, _atClient, random);
                while (TryTake(_atClient, out var header, out var body)) Write(_up, Client(header, body));
                break;
            case < 40: Write(_down, server.Append); break;
            case 40: Break(server.Close); break;
            case 41: Break(server.Crash); break;
            default: Write(_down, server.Deliver); break;
        }
    }

    private Action<IBufferWriter<byte>> Client(PacketHeader header, byte[] body) =>
        header.Type == PacketType.ConnAck ? client.Resume : target => client.Take(header, body, target);

    private void Break(Action end)
    {
        Breaks++;
        end();
        client.Lose();
        foreach (var bytes in new[] { _up, _down, _atServer, _atClient }) bytes.Clear();
        _isUp = false;
    }

    private static void Move(List<byte> from, List<byte> to, Random random)
    {
        var count = Math.Min(from.Count, random.Next(1, BytesAtOnce));
        to.AddRange(from.Take(count));
        from.RemoveRange(0, count);
    }

    private static bool TryTake(List<byte> from, out PacketHeader header, out byte[] body)
    {
        body = [];
        if (!PacketHeader.TryRead([.. from], out header, out _) || header.TotalBytes > from.Count) return false;
        body = [.. from.Skip(header.HeaderBytes).Take(header.BodyBytes)];
        from.RemoveRange(0, header.TotalBytes);
        return true;
    }

    private static void Write(List<byte> to, Action<IBufferWriter<byte>> write)
    {
        var target = new ArrayBufferWriter<byte>();
        write(target);
        to.AddRange(target.WrittenSpan);
    }
}
