using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using K4os.Compression.LZ4;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

/// <summary>One client's connection to a <see cref="FakeServer"/>.</summary>
internal sealed class FakeConnection(FakeServer server, TcpClient client) : IDisposable
{
    private const int HeaderSize = 9;

    private readonly SemaphoreSlim _sending = new(1);
    private Stream _stream = Stream.Null;
    private bool _framed;
    private bool _compressed;

    public int Version { get; private set; }

    /// <summary>Whether the client asked for events.</summary>
    public bool IsControl { get; private set; }

    /// <summary>How many frames, or messages before there are frames, the client has sent.</summary>
    public int Frames { get; private set; }

    public async Task ServeAsync()
    {
        try
        {
            _stream = await server.OpenAsync(client.GetStream());
            while (true)
            {
                var requests = await ReadAsync();
                Frames++;
                foreach (var request in requests) await AnswerAsync(request);
            }
        }
        catch (AuthenticationException)
        {
            client.Close();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            // The client, or the test, has closed it.
        }
    }

    public Task ReplyAsync(FakeRequest request, Opcode opcode, Action<WireBuffer>? body = null,
        EnvelopeFlags flags = EnvelopeFlags.None) => SendAsync(request.Header.Stream, opcode, body, flags);

    /// <summary>From here on, all requests are answered with void, by a thread that allocates nothing.</summary>
    public void AnswerAllWithVoid(FakeRequest first)
    {
        var loop = new VoidLoop(client.Client);
        loop.Void(first.Header.Stream);
        new Thread(loop.Run) { IsBackground = true }.Start();
    }

    public Task VoidAsync(FakeRequest request) => ReplyAsync(request, Opcode.Result, body => body.Int(1));

    public Task ErrorAsync(FakeRequest request, ServerErrorCode code, Action<WireBuffer>? more = null) =>
        ReplyAsync(request, Opcode.Error, body =>
        {
            body.Int((int)code);
            body.String("the fake server says so");
            more?.Invoke(body);
        });

    public Task SendAsync(
        short stream, Opcode opcode, Action<WireBuffer>? body = null, EnvelopeFlags flags = EnvelopeFlags.None) =>
        SendRawAsync(Encode(stream, opcode, body, flags));

    /// <summary>An answer as it goes over the wire, so that a test can cut it.</summary>
    public byte[] Encode(
        short stream, Opcode opcode, Action<WireBuffer>? body = null, EnvelopeFlags flags = EnvelopeFlags.None)
    {
        var envelope = new WireBuffer();
        envelope.Take(HeaderSize);
        body?.Invoke(envelope);
        var version = (byte)(0x80 | Math.Min(Version, server.VersionMax));
        new EnvelopeHeader(version, flags, stream, opcode, envelope.Length - HeaderSize)
            .Write(envelope.Rewrite(0, HeaderSize));
        var wire = new WireBuffer();
        new EnvelopeWriter(_compressed) { Framed = _framed }.Write(envelope.Written, wire);
        return wire.Written.ToArray();
    }

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        await _sending.WaitAsync();
        try
        {
            for (; bytes.Length > server.WriteBytesMax; bytes = bytes[server.WriteBytesMax..])
                await _stream.WriteAsync(bytes[..server.WriteBytesMax]);
            await _stream.WriteAsync(bytes);
        }
        finally
        {
            _sending.Release();
        }
    }

    public void Dispose() => client.Dispose();

    private Task AnswerAsync(FakeRequest request)
    {
        Version = request.Header.Version;
        if (Version > server.VersionMax) return ErrorAsync(request, ServerErrorCode.ProtocolError);
        return request.Opcode switch
        {
            Opcode.Startup => StartAsync(request),
            Opcode.AuthResponse => LogInAsync(request),
            Opcode.Register => RegisterAsync(request),
            Opcode.Query when RingRows.Answer(server, request.Text) is { } rows =>
                ReplyAsync(request, Opcode.Result, rows),
            _ => server.OnRequestAsync(this, request),
        };
    }

    private async Task StartAsync(FakeRequest request)
    {
        _compressed = Encoding.UTF8.GetString(request.Body).Contains("lz4");
        await Task.Delay(server.StartDelay, TimeProvider.System);
        var opcode = server.Login is null ? Opcode.Ready : Opcode.Authenticate;
        await ReplyAsync(request, opcode, body =>
        {
            if (server.Login is not null) body.String("org.apache.cassandra.auth.PasswordAuthenticator");
        });
        _framed = Version >= 5;
    }

    private Task LogInAsync(FakeRequest request)
    {
        if (server.Challenges) return ReplyAsync(request, Opcode.AuthChallenge, body => body.Int(0));
        var expected = $"\0{server.Login!.Value.Username}\0{server.Login.Value.Password}";
        return Encoding.UTF8.GetString(request.Body.AsSpan(4)) == expected
            ? ReplyAsync(request, Opcode.AuthSuccess, body => body.Int(-1))
            : ErrorAsync(request, ServerErrorCode.BadCredentials);
    }

    private Task RegisterAsync(FakeRequest request)
    {
        IsControl = true;
        return ReplyAsync(request, Opcode.Ready);
    }

    /// <summary>
    /// The envelopes of the next frame; written anew here, so that it does not share the client's mistakes.
    /// </summary>
    private async Task<List<FakeRequest>> ReadAsync()
    {
        if (!_framed) return [await ReadEnvelopeAsync(_stream)];
        var headerSize = FrameHeader.Size(_compressed);
        var header = await ReadExactlyAsync(_stream, headerSize);
        var status = FrameHeader.Read(header, _compressed, out var frame);
        Assert.That(status, Is.EqualTo(FrameStatus.Complete));
        var payload = await ReadExactlyAsync(_stream, frame.Length);
        await ReadExactlyAsync(_stream, 4);
        if (_compressed && frame.PlainLength > 0)
        {
            var plain = new byte[frame.PlainLength];
            LZ4Codec.Decode(payload, plain);
            payload = plain;
        }

        var parts = new MemoryStream(payload);
        var requests = new List<FakeRequest>();
        while (parts.Position < parts.Length) requests.Add(await ReadEnvelopeAsync(parts));
        return requests;
    }

    private static async Task<FakeRequest> ReadEnvelopeAsync(Stream stream)
    {
        var header = EnvelopeHeader.Read(await ReadExactlyAsync(stream, HeaderSize));
        var body = await ReadExactlyAsync(stream, header.Length);
        if ((header.Flags & EnvelopeFlags.Compressed) == 0) return new FakeRequest(header, body);
        var plain = new byte[BinaryPrimitives.ReadInt32BigEndian(body)];
        LZ4Codec.Decode(body.AsSpan(4), plain);
        return new FakeRequest(header, plain);
    }

    private static async Task<byte[]> ReadExactlyAsync(Stream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }
}
