using Millrace.Gateway.Publishing;

namespace Millrace.Gateway.Mqtt;

/// <summary>
/// The publishes that one read brings into one partition: it is locked once for all of them, and left before anything
/// else is done.
/// </summary>
internal ref struct PublishRun(MqttConnection connection)
{
    private PartitionPublisher? _partition;
    private int _count;
    private long _lastNumber = -1;

    /// <summary>The partition that is locked now; enters another one where it has to.</summary>
    public PartitionPublisher Enter(PartitionPublisher partition)
    {
        if (_partition == partition) return partition;
        Exit();
        partition.Enter();
        _partition = partition;
        return partition;
    }

    public void Taken(long number)
    {
        _count++;
        if (number >= 0) _lastNumber = number;
    }

    public void Exit()
    {
        if (_partition is null) return;
        _partition.Exit(connection, _count, _lastNumber);
        Leave();
    }

    public void ExitToWait()
    {
        _partition?.ExitToWait(connection, _count, _lastNumber);
        Leave();
    }

    private void Leave()
    {
        if (_count > 0) connection.Received(_count);
        _partition = null;
        _count = 0;
        _lastNumber = -1;
    }
}
