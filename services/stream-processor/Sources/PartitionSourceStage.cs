using Akka.Streams;
using Akka.Streams.Stage;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.Sources;

/// <summary>
/// One partition of the log from an offset on, batch by batch, without end. Reads only when asked (back-pressure), and
/// waits in the log, not on a thread.
/// </summary>
internal sealed class PartitionSourceStage(IEventLog log, TopicPartition partition, long offset, int bytesMax)
    : GraphStage<SourceShape<RecordBatch>>
{
    private readonly Outlet<RecordBatch> _out = new("PartitionSource.out");

    public override SourceShape<RecordBatch> Shape => new(_out);

    protected override GraphStageLogic CreateLogic(Attributes inheritedAttributes) => new Logic(this);

    private sealed class Logic : OutGraphStageLogic
    {
        private readonly PartitionSourceStage _stage;
        private readonly IPartitionReader _reader;
        private readonly CancellationTokenSource _stopped = new();
        private readonly Action<Task<RecordBatch>> _read;
        private Task<RecordBatch>? _pending;

        public Logic(PartitionSourceStage stage) : base(stage.Shape)
        {
            _stage = stage;
            _reader = stage.Open();
            _read = GetAsyncCallback<Task<RecordBatch>>(Done);
            SetHandler(stage._out, this);
        }

        public override void OnPull()
        {
            var read = _reader.ReadAsync(_stage.BytesMax, _stopped.Token);
            if (read.IsCompletedSuccessfully) Push(_stage._out, read.Result);
            else
            {
                _pending = read.AsTask();
                _pending.ContinueWith(_read, CancellationToken.None, TaskContinuationOptions.None,
                    TaskScheduler.Default);
            }
        }

        public override void PostStop()
        {
            _stopped.Cancel();
            _ = CloseAsync();
        }

        private void Done(Task<RecordBatch> read)
        {
            if (read.IsCompletedSuccessfully) Push(_stage._out, read.Result);
            else if (!_stopped.IsCancellationRequested) FailStage(read.Exception?.InnerException
                ?? new TaskCanceledException());
        }

        private async Task CloseAsync()
        {
            if (_pending is not null) await _pending.ContinueWith(_ => { }, TaskScheduler.Default);
            await _reader.DisposeAsync();
            _stopped.Dispose();
        }
    }

    private int BytesMax => bytesMax;

    private IPartitionReader Open() => log.OpenReader(partition, offset);
}
