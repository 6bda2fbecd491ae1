using System.Runtime.InteropServices;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog.Kafka.Native;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>What one group has committed on one partition, or what went wrong.</summary>
internal readonly record struct GroupOffset(TopicPartition Partition, CommittedOffset? Committed, int Error);

/// <summary>Requests for the committed offsets of a group, which wait on no thread.</summary>
internal sealed class GroupRequest(
    NativeClient client, Func<string, string> named, Func<string, string?> unnamed)
{
    public unsafe Task<IReadOnlyList<GroupOffset>> CommitAsync(
        string group, IReadOnlyCollection<KeyValuePair<TopicPartition, CommittedOffset>> offsets)
    {
        var partitions = Rdkafka.PartitionsNew(offsets.Count);
        foreach (var (partition, committed) in offsets)
        {
            var item = Add(partitions, partition);
            item->Offset = committed.NextOffset;
            if (committed.Metadata is not { Length: > 0 } text) continue;

            // The library frees it by free().
            var bytes = Encoding.UTF8.GetBytes(text);
            item->Metadata = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
            item->MetadataBytes = (nuint)bytes.Length;
            bytes.CopyTo(new Span<byte>(item->Metadata, bytes.Length));
        }

        var signal = new NativeSignal(client);
        fixed (byte* name = Rdkafka.ZeroEnded(named(group)))
        {
            var request = Rdkafka.AlterOffsetsNew(name, partitions);
            Rdkafka.AlterOffsets(client.Handle, &request, 1, 0, signal.Queue);
            Rdkafka.AlterOffsetsDestroy(request);
        }

        Rdkafka.PartitionsDestroy(partitions);
        delegate*<nint, nuint*, nint*> result = &CommitResult;
        return AnswerAsync(signal, (nint)result);
    }

    /// <param name="wanted">Null for all partitions on which the group has committed.</param>
    public unsafe Task<IReadOnlyList<GroupOffset>> CommittedAsync(
        string group, IReadOnlyCollection<TopicPartition>? wanted)
    {
        NativePartitions* partitions = null;
        if (wanted is not null)
        {
            partitions = Rdkafka.PartitionsNew(wanted.Count);
            foreach (var partition in wanted) Add(partitions, partition);
        }

        var signal = new NativeSignal(client);
        fixed (byte* name = Rdkafka.ZeroEnded(named(group)))
        {
            var request = Rdkafka.ListOffsetsNew(name, partitions);
            Rdkafka.ListOffsets(client.Handle, &request, 1, 0, signal.Queue);
            Rdkafka.ListOffsetsDestroy(request);
        }

        if (partitions is not null) Rdkafka.PartitionsDestroy(partitions);
        delegate*<nint, nuint*, nint*> result = &ListResult;
        return AnswerAsync(signal, (nint)result);
    }

    private static unsafe nint* CommitResult(nint @event, nuint* count) =>
        Rdkafka.AlterOffsetsGroups(Rdkafka.AlterOffsetsResult(@event), count);

    private static unsafe nint* ListResult(nint @event, nuint* count) =>
        Rdkafka.ListOffsetsGroups(Rdkafka.ListOffsetsResult(@event), count);

    private unsafe NativePartition* Add(NativePartitions* partitions, TopicPartition partition)
    {
        fixed (byte* topic = Rdkafka.ZeroEnded(named(partition.Topic)))
            return Rdkafka.PartitionsAdd(partitions, topic, partition.Partition);
    }

    private async Task<IReadOnlyList<GroupOffset>> AnswerAsync(NativeSignal signal, nint groupsOf)
    {
        try
        {
            while (true)
            {
                await signal.WaitAsync(CancellationToken.None).ConfigureAwait(false);
                if (Take(signal, groupsOf) is { } answer) return answer;
            }
        }
        finally
        {
            signal.Dispose();
        }
    }

    private unsafe IReadOnlyList<GroupOffset>? Take(NativeSignal signal, nint groupsOf)
    {
        var @event = Rdkafka.QueuePoll(signal.Queue, 0);
        if (@event == 0) return null;
        try
        {
            if (Rdkafka.EventError(@event) is var failed && failed != 0) throw new GroupRequestException(failed);
            nuint count = 0;
            var groups = ((delegate*<nint, nuint*, nint*>)groupsOf)(@event, &count);
            if (count == 0) return [];
            var group = groups[0];
            if (Rdkafka.GroupError(group) is var error && error != 0)
                throw new GroupRequestException(Rdkafka.ErrorCode(error));
            return Read(Rdkafka.GroupPartitions(group));
        }
        finally
        {
            Rdkafka.EventDestroy(@event);
        }
    }

    private unsafe List<GroupOffset> Read(NativePartitions* partitions)
    {
        var offsets = new List<GroupOffset>();
        for (var i = 0; partitions is not null && i < partitions->Count; i++)
        {
            var item = partitions->Items[i];
            if (unnamed(Rdkafka.Text(item.Topic)) is not { } topic) continue;
            var metadata = item.MetadataBytes == 0
                ? null
                : Encoding.UTF8.GetString(item.Metadata, (int)item.MetadataBytes);
            offsets.Add(new GroupOffset(new TopicPartition(topic, item.Partition),
                item.Offset < 0 ? null : new CommittedOffset(item.Offset, metadata), item.Error));
        }

        return offsets;
    }
}

/// <summary>The request failed as a whole.</summary>
internal sealed class GroupRequestException(int code) : Exception(Rdkafka.Describe(code))
{
    public int Code { get; } = code;
}
