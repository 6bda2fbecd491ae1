using System.Collections.Concurrent;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Where dead letters of queries meet the owners that can take them: an owner looks here at each tick, between two
/// batches.
/// </summary>
internal sealed class LateLetters
{
    private readonly ConcurrentDictionary<(string Query, int Partition), Desk> _desks = new();

    /// <summary>From now on the place takes letters, until the desk is closed.</summary>
    public Desk Open(QueryPlace place)
    {
        var key = (place.Config.Name, place.Partition);
        var desk = new Desk(closed => _desks.TryRemove(KeyValuePair.Create(key, closed)));
        _desks[key] = desk;
        return desk;
    }

    /// <summary>
    /// Has the letter's query take it, when this process owns its place: completes when its rows are durable.
    /// </summary>
    public Task<LateAnswer> OfferAsync(DeadLetter letter)
    {
        var query = letter.Query ?? "";
        return _desks.TryGetValue((query, letter.Partition), out var desk) || _desks.TryGetValue((query, -1), out desk)
            ? desk.OfferAsync(letter)
            : Task.FromResult(LateAnswer.NotHere);
    }

    /// <summary>One place's waiting letters.</summary>
    public sealed class Desk(Action<Desk> closed) : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly Queue<LateRequest> _waiting = [];
        private bool _isClosed;

        public Task<LateAnswer> OfferAsync(DeadLetter letter)
        {
            lock (_gate)
            {
                if (_isClosed) return Task.FromResult(LateAnswer.NotHere);
                var request = new LateRequest(letter);
                _waiting.Enqueue(request);
                return request.Answered.Task;
            }
        }

        public LateRequest? Take()
        {
            lock (_gate) return _waiting.TryDequeue(out var request) ? request : null;
        }

        /// <summary>Whoever waits asks again, perhaps elsewhere.</summary>
        public void Dispose()
        {
            closed(this);
            lock (_gate) _isClosed = true;
            while (Take() is { } request) request.Answered.TrySetResult(LateAnswer.NotHere);
        }
    }
}

internal sealed record LateRequest(DeadLetter Letter)
{
    public TaskCompletionSource<LateAnswer> Answered { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <param name="IsHere">False when another process owns the place, or none does at the moment.</param>
/// <param name="Refusal">Null when the letter's rows are durable.</param>
internal sealed record LateAnswer(bool IsHere, Error? Refusal)
{
    public static readonly LateAnswer NotHere = new(false, null);
    public static readonly LateAnswer Taken = new(true, null);

    public static LateAnswer Refused(DeadLetter letter, string why) =>
        new(true, StreamProcessorErrors.ReplayRefused.With(letter.Id, why));
}
