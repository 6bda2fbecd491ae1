using Akka.Actor;
using Akka.Configuration;
using Akka.Streams;

namespace Millrace.StreamProcessor.Sources;

/// <summary>The actor system that streams run on. Failures come out of the streams, so it writes no log of its
/// own.</summary>
internal sealed class StreamRuntime : IAsyncDisposable
{
    private const string Settings = """
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          log-dead-letters = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
          coordinated-shutdown.exit-clr = off
        }
        """;

    private readonly ActorSystem _system = ActorSystem.Create("millrace", ConfigurationFactory.ParseString(Settings));

    public StreamRuntime() => Materializer = _system.Materializer();

    public ActorMaterializer Materializer { get; }

    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        _system.Dispose();
    }
}
