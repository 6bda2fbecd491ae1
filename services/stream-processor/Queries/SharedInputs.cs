using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Decoding;

namespace Millrace.StreamProcessor.Queries;

/// <summary>What the queries of this process read of each partition, decoded once for all of them.</summary>
internal sealed class SharedInputs(IOptions<StreamProcessorOptions> options)
{
    private readonly long _bytesMax = options.Value.SharedFieldsBytesMax.Bytes;
    private readonly ConcurrentDictionary<TopicPartition, SharedBodies> _bodies = new();

    /// <summary>The engine shares its sources from now on, until what this gives is disposed of.</summary>
    public IReadOnlyList<SharedLease> Join(QueryEngine engine, IEnumerable<TopicPartition> sources) => _bytesMax == 0
        ? []
        : [.. sources.Select(source =>
            engine.Share(source, _bodies.GetOrAdd(source, _ => new SharedBodies(_bytesMax))))];
}
