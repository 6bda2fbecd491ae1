using Millrace.Gateway.Sockets;

namespace Millrace.Gateway.Tests.Sockets;

public class LoopListenerTests
{
    private const int ConnectionAborted = 103;

    [TestCase(Posix.ManyFiles, true)]
    [TestCase(Posix.ManyFilesHere, true)]
    [TestCase(Posix.NoMemory, true)]
    [TestCase(Posix.NoBuffers, true)]
    [TestCase(Posix.Interrupted, false)]
    [TestCase(ConnectionAborted, false)]
    public void Accepting_pauses_when_the_system_has_nothing_left_and_not_over_one_connection(int error, bool pauses) =>
        Assert.That(LoopListener.ShortageOf(error) is not null, Is.EqualTo(pauses));
}
