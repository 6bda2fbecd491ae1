using CsCheck;
using Millrace.Contracts;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

[Category("Samples")]
public abstract partial class SessionStoreContract
{
    private static readonly SessionKey[] Keys = [new("d0", "a"), new("d0", "b"), new("d1", "a")];

    [Test]
    public async Task Whatever_is_done_in_whatever_order_it_is_what_the_model_says()
    {
        var step = Gen.Select(Gen.Int[0, 21], Gen.Int[0, Keys.Length - 1], Gen.Int[0, 1 << 20]);
        var reopenEvery = 0;
        await step.List[1, 50].SampleAsync(async steps =>
        {
            await ClearAsync();
            var run = new ModelRun(Store, new SessionModel());
            foreach (var (kind, key, number) in steps)
            {
                var (mine, models) = await run.StepAsync(kind, Keys[key], new Random(number));
                Assert.That(mine, Is.EqualTo(models), $"step {kind} of {Keys[key]}");
            }

            if (++reopenEvery % 10 == 0) Reopen();
            foreach (var key in Keys)
            {
                Assert.That(Text(await Store.FindAsync(key)), Is.EqualTo(Text(run.Model.Find(key))));
                Assert.That(Text(await Store.QueueAsync(key, 0, 100, long.MaxValue)),
                    Is.EqualTo(Text(run.Model.Queue(key, 0, 100, long.MaxValue))));
            }

            Assert.That(await AllWillsAsync(), Is.EqualTo(run.Model.Wills.Epochs));
        }, iter: Samples.Of(50), threads: 1);
    }

    private async Task ClearAsync()
    {
        foreach (var key in Keys) await Store.BeginAsync(key, Noon);
        await AllWillsAsync();
    }

    /// <summary>Whose wills the store had, found out by letting all of them become due.</summary>
    private async Task<IEnumerable<long>> AllWillsAsync()
    {
        await Store.LeaveWillsAsync(Noon, Noon, own: true);
        var due = await Store.SweepAsync(Noon.AddYears(200), 1000);
        await Store.RemoveWillsAsync(due.Wills);
        return due.Wills.Select(w => w.Epoch).Order();
    }

    /// <summary>Does each step to the store and to the model, and gives what each of them answered.</summary>
    private sealed class ModelRun(ISessionStore store, SessionModel model)
    {
        private readonly Dictionary<SessionKey, List<long>> _epochs = Keys.ToDictionary(k => k, _ => new List<long>());
        private readonly HashSet<string> _sessionIds = [];
        private DateTimeOffset _now = Noon;
        private long _lastEpoch;

        public SessionModel Model => model;

        public async Task<(string Store, string Model)> StepAsync(int kind, SessionKey key, Random random)
        {
            // Mostly the newest owner, at times an older one.
            var epochs = _epochs[key];
            var epoch = epochs.Count == 0 ? 1 : epochs[^Math.Min(epochs.Count, 1 + (random.Next(4) / 3))];
            _now = _now.AddSeconds(random.Next(8) == 0 ? 30 : random.Next(3));
            return kind switch
            {
                0 or 1 or 2 => await OpenAsync(key, random),
                3 => await SaveAsync(key, epoch, random),
                4 => await SubscribeAsync(key, epoch, random),
                5 => await UnsubscribeAsync(key, epoch, random),
                6 => await CloseAsync(key, epoch, random),
                7 or 8 or 9 or 10 => await EnqueueAsync(random),
                11 => await RemoveAsync(key, epoch, random),
                12 => await MarkAsync(key, epoch, random),
                13 => await SweepAsync(),
                14 => await QueueAsync(key, random),
                15 => await DeleteOfDeviceAsync(key),
                16 => await BeginAsync(key, random),
                17 => await LeaveWillsAsync(),
                18 or 19 => await EndAsync(key, epoch),
                20 => Pair(await store.ForgetAsync(key, epoch), model.Forget(key, epoch)),
                _ => await RemoveWillsAsync(random),
            };
        }

        private async Task<(string, string)> OpenAsync(SessionKey key, Random random)
        {
            var (clean, expiry) = (random.Next(5) == 0, random.Next(4) == 0 ? uint.MaxValue : (uint)random.Next(20));
            var will = Will(random);
            var opened = await store.OpenAsync(key, clean, expiry, _now, will);
            var (id, epoch) = (opened.Session.SessionId, opened.Session.Epoch);
            if (!opened.IsPresent) Assert.That(_sessionIds.Add(id), Is.True, "a session id came twice");
            Assert.That(epoch, Is.GreaterThan(_lastEpoch));
            _lastEpoch = epoch;
            _epochs[key].Add(epoch);
            var (mine, models) = (opened, model.Open(key, clean, expiry, _now, will, id, epoch));
            return Pair(mine with { Wills = InOrder(mine.Wills) }, models with { Wills = InOrder(models.Wills) });
        }

        private async Task<(string, string)> BeginAsync(SessionKey key, Random random)
        {
            var will = Will(random);
            var mine = await store.BeginAsync(key, _now, will);
            Assert.That(mine.Epoch, Is.GreaterThan(_lastEpoch));
            _lastEpoch = mine.Epoch;
            _epochs[key].Add(mine.Epoch);
            var models = model.Begin(key, _now, will, mine.Epoch);
            return Pair(mine with { Wills = InOrder(mine.Wills) }, models with { Wills = InOrder(models.Wills) });
        }

        private async Task<(string, string)> EndAsync(SessionKey key, long epoch)
        {
            var mine = await store.EndAsync(key, epoch, _now);
            if (mine is not null)
            {
                Assert.That(mine.Epoch, Is.GreaterThan(_lastEpoch));
                _lastEpoch = mine.Epoch;
                _epochs[key].Add(mine.Epoch);
            }

            return Pair(mine, model.End(key, epoch, _now, mine?.Epoch ?? 0));
        }

        private async Task<(string, string)> SaveAsync(SessionKey key, long epoch, Random random)
        {
            var inbound = Inbound(random);
            return Pair(await store.SaveInboundAsync(key, epoch, inbound),
                model.Change(key, epoch, e => e.Stored = e.Stored with { Inbound = inbound }));
        }

        private async Task<(string, string)> SubscribeAsync(SessionKey key, long epoch, Random random)
        {
            var subscriptions = Enumerable.Range(0, random.Next(3)).Select(_ => new SessionSubscription(
                $"f{random.Next(3)}", random.Next(3), random.Next(2) == 0, random.Next(2) == 0, random.Next(3),
                (uint)random.Next(9))).ToList();
            return Pair(await store.SubscribeAsync(key, epoch, subscriptions),
                model.Change(key, epoch, e => subscriptions.ForEach(s => e.Subscriptions[s.Filter] = s)));
        }

        private async Task<(string, string)> UnsubscribeAsync(SessionKey key, long epoch, Random random)
        {
            var filters = new[] { $"f{random.Next(3)}", $"f{random.Next(3)}" };
            return Pair(await store.UnsubscribeAsync(key, epoch, filters),
                model.Change(key, epoch, e => Array.ForEach(filters, f => e.Subscriptions.Remove(f))));
        }

        private async Task<(string, string)> CloseAsync(SessionKey key, long epoch, Random random)
        {
            var expiry = random.Next(4) == 0 ? uint.MaxValue : (uint)random.Next(20);
            var inbound = random.Next(4) == 0 ? null : Inbound(random);
            var closure = new SessionClosure(inbound, random.Next(6), expiry, random.Next(4) == 0);
            var isOwner = model.Find(key)?.ExpiresAt != DateTimeOffset.UnixEpoch
                && model.Change(key, epoch, e => e.Stored = e.Stored with
                {
                    IsConnected = false,
                    Inbound = closure.Inbound ?? e.Stored.Inbound,
                    SentSequence = Math.Max(e.Stored.SentSequence, closure.SentSequence),
                    ExpirySeconds = expiry,
                    ExpiresAt = expiry == uint.MaxValue ? null : _now.AddSeconds(expiry),
                });
            return Pair(await store.CloseAsync(key, epoch, closure, _now),
                new ClosedSession(isOwner, model.Wills.Close(key, epoch, closure, _now)));
        }

        private async Task<(string, string)> EnqueueAsync(Random random)
        {
            // Near what one of the queues holds, where a miscount shows.
            var held = model.BytesOf(Keys[random.Next(Keys.Length)]);
            QueueLimits[] limits =
                [.. Enumerable.Range(0, 2).Select(_ => new QueueLimits(random.Next(3, 9), held + random.Next(40)))];
            var messages = Enumerable.Range(0, random.Next(5)).Select(_ => new SessionMessage(
                Keys[random.Next(Keys.Length)], new OutboundMessage(new string('ü', random.Next(1, 5)), random.Next(3),
                    random.Next(2) == 0, new byte[random.Next(3)], new byte[random.Next(30)],
                    random.Next(2) == 0 ? null : _now.AddSeconds(random.Next(5)),
                    random.Next(2) == 0 ? null : new PartitionOffset(Partition(random.Next(2)), random.Next(9)),
                    random.Next(2) == 0 ? [] : [1, (uint)random.Next(99)])
                {
                    Share = random.Next(3) == 0 ? "$share/g/ü" : null,
                },
                limits[random.Next(2)])).ToList();
            return Pair(await store.EnqueueAsync(messages, _now),
                messages.Select(m => model.Enqueue(m, _now)).ToList());
        }

        private async Task<(string, string)> RemoveAsync(SessionKey key, long epoch, Random random)
        {
            var sequences = Sequences(random);
            return Pair(await store.RemoveAsync(key, epoch, sequences),
                model.Change(key, epoch, e => e.Queue.RemoveAll(m => sequences.Contains(m.Sequence))));
        }

        private async Task<(string, string)> MarkAsync(SessionKey key, long epoch, Random random)
        {
            var sequences = Sequences(random);
            return Pair(await store.MarkReceivedAsync(key, epoch, sequences), model.Change(key, epoch, e =>
            {
                for (var i = 0; i < e.Queue.Count; i++)
                {
                    if (!sequences.Contains(e.Queue[i].Sequence)) continue;
                    var message = e.Queue[i].Message with { Properties = [], Payload = [] };
                    e.Queue[i] = e.Queue[i] with { Message = message, IsReceived = true };
                }
            }));
        }

        private async Task<(string, string)> SweepAsync()
        {
            var swept = await store.SweepAsync(_now, 100);
            var (ended, wills) = model.Sweep(_now);
            return (Sorted(swept.Ended, swept.Wills), Sorted(ended, wills));

            static string Sorted(IEnumerable<StoredSession> ended, IEnumerable<DueWill> wills) =>
                Text(ended.OrderBy(s => s.SessionId)) + Text(wills.OrderBy(w => w.Epoch));
        }

        private async Task<(string, string)> QueueAsync(SessionKey key, Random random)
        {
            var (after, max, bytes) = (random.Next(3), random.Next(1, 5), random.Next(100));
            return Pair(await store.QueueAsync(key, after, max, bytes), model.Queue(key, after, max, bytes).ToList());
        }

        private async Task<(string, string)> DeleteOfDeviceAsync(SessionKey key) =>
            Pair(await store.DeleteOfDeviceAsync(key.DeviceId, _now), model.DeleteOfDevice(key.DeviceId, _now));

        private async Task<(string, string)> LeaveWillsAsync()
        {
            await store.LeaveWillsAsync(_now, _now, own: true);
            model.Wills.Leave(_now, (key, epoch) => model.Find(key) is { } s && s.Epoch == epoch ? s.ExpirySeconds : 0);
            return ("", "");
        }

        private async Task<(string, string)> RemoveWillsAsync(Random random)
        {
            var wills = model.Wills.Epochs.Where(_ => random.Next(2) == 0).ToList();
            await store.RemoveWillsAsync(
                wills.ConvertAll(epoch => new DueWill(
                    model.Wills.KeyOf(epoch), epoch, new StoredWill("", 0, false, [], [], 0))));
            model.Wills.Remove(wills);
            return ("", "");
        }

        private static StoredWill? Will(Random random) => random.Next(2) == 0
            ? null
            : new StoredWill($"w{random.Next(9)}", random.Next(3), random.Next(2) == 0, [1], [2, 3],
                (uint)(random.Next(2) == 0 ? 0 : random.Next(20)));

        private static IReadOnlyList<DueWill> InOrder(IReadOnlyList<DueWill> wills) =>
            [.. wills.OrderBy(w => w.Epoch)];

        private static InboundExchanges Inbound(Random random)
        {
            var open = Enumerable.Range(0, random.Next(3)).Select(
                _ => new OpenExchange((ushort)random.Next(65536), random.NextInt64()));
            var scan = Enumerable.Range(0, random.Next(3)).Select(
                i => new PartitionOffset(Partition(i), random.NextInt64()));
            return new InboundExchanges(random.Next(), [.. open], [.. scan]);
        }

        private static long[] Sequences(Random random) =>
            [.. Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(1, 8))];

        private static (string, string) Pair<T>(T mine, T models) => (Text(mine), Text(models));
    }
}
