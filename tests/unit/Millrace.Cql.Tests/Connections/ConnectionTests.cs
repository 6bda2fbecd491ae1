using System.Net;
using System.Security.Authentication;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Cql.Connections;
using Millrace.Cql.Protocol;

namespace Millrace.Cql.Tests.Connections;

public sealed class ConnectionTests
{
    [Test]
    public async Task A_request_that_comes_after_the_end_is_told_what_ended_the_connection()
    {
        var cause = new IOException("broken", new AuthenticationException("alert"));
        var options = new CqlOptions();
        await using var connection = new Connection(new BrokenStream(cause), new IPEndPoint(IPAddress.Loopback, 1), 5,
            options, NullLogger.Instance);
        connection.Start();
        await connection.Closed.WaitAsync(TimeSpan.FromSeconds(20));

        var told = Assert.ThrowsAsync<CqlException>(
            () => connection.CallAsync(Message.Startup(compress: false), options.ConnectTimeout));
        Assert.That(told!.Error.Definition, Is.EqualTo(CqlErrors.ConnectionLost));
        Assert.That(told.InnerException, Is.SameAs(cause));
    }

    /// <summary>As one whose peer sends an alert before it was asked anything.</summary>
    private sealed class BrokenStream(Exception cause) : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw cause;
    }
}
