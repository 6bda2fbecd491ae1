using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.EventLog;
using Millrace.Hosting.Node;
using Millrace.Stores.Checkpoints;
using Millrace.StreamProcessor.References;
using Millrace.StreamProcessor.Sinks;
using Millrace.StreamProcessor.Sources;

namespace Millrace.StreamProcessor.Queries;

/// <summary>What every running query needs.</summary>
internal sealed class QueryServices(
    IEventLog log, ICheckpointStore checkpoints, StoreRetry retry, DeadLetterWriter deadLetters, StreamRuntime runtime,
    LateLetters late, SharedInputs shared, ReferenceData references, PromotedModels models, RecordClock clock,
    IOptions<StreamProcessorOptions> options, IOptions<NodeOptions> node, TimeProvider time,
    ILogger<QueryServices> logger)
{
    public IEventLog Log { get; } = log;

    public ICheckpointStore Checkpoints { get; } = checkpoints;

    public StoreRetry Retry { get; } = retry;

    public DeadLetterWriter DeadLetters { get; } = deadLetters;

    public LateLetters Late { get; } = late;

    public SharedInputs Shared { get; } = shared;

    public ReferenceData References { get; } = references;

    public PromotedModels Models { get; } = models;

    public RecordClock Clock { get; } = clock;

    public StreamRuntime Runtime { get; } = runtime;

    public StreamProcessorOptions Options { get; } = options.Value;

    /// <summary>The name of this process.</summary>
    public string Node { get; } = node.Value.Name;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;
}
