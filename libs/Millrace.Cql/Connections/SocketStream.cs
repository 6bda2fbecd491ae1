using System.Net.Sockets;

namespace Millrace.Cql.Connections;

/// <summary>
/// A socket whose reader waits in the kernel for it alone: by itself, or below TLS. With a wait for all sockets, and a
/// thread of the pool for what came, an answer costs more than twice as much.
/// </summary>
internal sealed class SocketStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    public override int Read(Span<byte> buffer)
    {
        // TLS asks for nothing before it takes a buffer, to wait without one. Here it waits once, with it.
        if (buffer.IsEmpty) return 0;

        // Receive() alone would leave the waiting to the runtime once a write has had to wait.
        Socket.Poll(Timeout.Infinite, SelectMode.SelectRead);
        return Socket.Receive(buffer);
    }
}
