using System.Net.Sockets;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.Sockets.Tls;

namespace Millrace.Gateway.Tests.Sockets.Tls;

/// <summary>A connection whose client sends what the test writes, record by record, and reads by OpenSSL.</summary>
internal sealed class HandWritten : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly RawTlsClient _client;

    private HandWritten(LoopPair pair, RawTlsClient client, RecordWriter records)
    {
        (Pair, _client, Records) = (pair, client, records);
    }

    public LoopPair Pair { get; }

    public RecordWriter Records { get; }

    public TlsSession Tls => Pair.Tls!;

    public Socket Client => Pair.Client;

    public static async Task<HandWritten> OpenAsync(
        int version, int clientReceiveBytes = 0, TlsContext? context = null, EventLoop? loop = null)
    {
        var pair = new LoopPair(clientReceiveBytes, loop);
        var client = new RawTlsClient(pair.Client, version);
        var securing = TestTls.SecureAsync(pair.Socket, context ?? TestTls.Context);
        var records = await Task.Run(client.ConnectToWrite).WaitAsync(Patience);
        pair.Tls = await securing.WaitAsync(Patience);
        Assert.That(pair.Tls, Is.Not.Null);
        return new HandWritten(pair, client, records!);
    }

    /// <summary>In one segment, if it is small.</summary>
    public void Send(params ReadOnlySpan<byte[]> records)
    {
        var bytes = new List<byte>();
        foreach (var record in records) bytes.AddRange(record);
        Assert.That(Client.Send([.. bytes]), Is.EqualTo(bytes.Count));
    }

    /// <summary>What the client receives: so many bytes, or fewer when that is all that comes.</summary>
    public Task<byte[]> ReceiveAsync(int count, int sliceBytes = 32 << 10, Action? afterSlice = null) => Task.Run(() =>
    {
        var all = new byte[count];
        var received = 0;
        while (received < count)
        {
            var got = _client.Receive(all.AsSpan(received, Math.Min(count - received, sliceBytes)));
            if (got <= 0) break;
            received += got;
            afterSlice?.Invoke();
        }

        return all[..received];
    });

    public async Task AnswersAsync()
    {
        Send(Records.Send("ask"u8));
        await ReadsAsync("ask"u8.ToArray());
        await Pair.Socket.Output.WriteAsync("answer"u8.ToArray()).AsTask().WaitAsync(Patience);
        Assert.That(await ReceiveAsync(6), Is.EqualTo("answer"u8.ToArray()));
    }

    /// <summary>What the server reads next.</summary>
    public async Task ReadsAsync(byte[] bytes)
    {
        for (var taken = 0; taken < bytes.Length;)
        {
            var read = await Pair.Socket.Input.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.That(read.Buffer.IsEmpty, Is.False, "the end");
            var part = read.Buffer.FirstSpan;
            Assert.That(part.SequenceEqual(bytes.AsSpan(taken, part.Length)), $"after {taken} bytes");
            taken += part.Length;
            Pair.Socket.Input.AdvanceTo(read.Buffer.End);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Pair.DisposeAsync();
    }
}
