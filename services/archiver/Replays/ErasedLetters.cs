using System.Runtime.CompilerServices;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.DeadLetters;

namespace Millrace.Archiver.Replays;

/// <summary>
/// The dead letters of a device, of all stages, and how they lose what they have of it. Letters are found by a look at
/// each that there is, and changed as they came: by their topic, whose sink puts the newest of an id into the store.
/// </summary>
internal sealed class ErasedLetters(IDeadLetterStore letters, IEventLog log, TimeProvider time)
{
    private static readonly TimeSpan TakenInPoll = TimeSpan.FromMilliseconds(100);

    /// <summary>How long it is waited for the sink; it takes what was appended in any case.</summary>
    private static readonly TimeSpan TakenInMax = TimeSpan.FromSeconds(10);

    private readonly DeadLetterTopic _topic = new(log);

    /// <summary>The letter without key, headers and body, and without a reason that may cite them.</summary>
    public static DeadLetter WithoutContent(DeadLetter letter, DateTimeOffset now) => letter with
    {
        ErrorCode = ArchiverErrors.DeviceErased.Code,
        Reason = ArchiverErrors.DeviceErased.What,
        LastFailedAt = now,
        Key = null,
        Headers = [],
        Value = [],
    };

    /// <summary>Empties the device's letters; returns how many there were.</summary>
    public async ValueTask<int> EmptyAsync(string deviceId, CancellationToken ct)
    {
        var ids = new HashSet<string>();
        await foreach (var page in PagesAsync(Encoding.UTF8.GetBytes(deviceId), ct).ConfigureAwait(false))
        {
            var emptied = page.Select(letter => WithoutContent(letter, time.GetUtcNow()));
            await _topic.AppendAsync(emptied.ToAsyncEnumerable(), letter => ids.Add(letter.Id), ct)
                .ConfigureAwait(false);
        }

        await TakenInAsync(ids, ct).ConfigureAwait(false);
        return ids.Count;
    }

    /// <summary>Those that have the device's id as their record's key, a page of the store's at a time.</summary>
    public async IAsyncEnumerable<IReadOnlyList<DeadLetter>> PagesAsync(
        byte[] device, [EnumeratorCancellation] CancellationToken ct)
    {
        string? continuation = null;
        do
        {
            var page = await letters.ListAsync(new DeadLetterFilter(Continuation: continuation), ct)
                .ConfigureAwait(false);
            var found = page.Items.Select(stored => stored.Letter)
                .Where(letter => letter.Key?.AsSpan().SequenceEqual(device) == true).ToList();
            if (found.Count > 0) yield return found;
            continuation = page.Continuation;
        }
        while (continuation is not null);
    }

    private async ValueTask TakenInAsync(HashSet<string> ids, CancellationToken ct)
    {
        var until = time.GetUtcNow() + TakenInMax;
        foreach (var id in ids)
        {
            while ((await letters.FindAsync(id, ct).ConfigureAwait(false))?.Letter.Key is not null)
            {
                if (time.GetUtcNow() > until) return;
                await Task.Delay(TakenInPoll, time, ct).ConfigureAwait(false);
            }
        }
    }
}
