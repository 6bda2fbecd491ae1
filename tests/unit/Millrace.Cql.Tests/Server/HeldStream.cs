using System.Net.Sockets;

namespace Millrace.Cql.Tests.Server;

/// <summary>Below TLS, so that a test can cut records: what is written leaves in such parts as it says.</summary>
internal sealed class HeldStream(Socket socket) : NetworkStream(socket)
{
    private readonly MemoryStream _held = new();

    public bool Holds { get; set; }

    /// <summary>Bytes that are held back.</summary>
    public int Count => (int)_held.Length;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!Holds) return base.WriteAsync(buffer, cancellationToken);
        _held.Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    /// <summary>Lets go of so many of them, in one write.</summary>
    public async Task SendAsync(int count)
    {
        var held = _held.ToArray();
        _held.SetLength(0);
        _held.Write(held.AsSpan(count));
        await base.WriteAsync(held.AsMemory(0, count));
    }

    public Task EndAsync()
    {
        Holds = false;
        return SendAsync(Count);
    }
}
