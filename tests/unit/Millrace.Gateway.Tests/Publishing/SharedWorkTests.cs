using Millrace.Gateway.Publishing;

namespace Millrace.Gateway.Tests.Publishing;

public class SharedWorkTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Test]
    public async Task Each_piece_is_done_once_and_before_the_work_is_over_whoever_helps([Range(1, 4)] int seed)
    {
        const int runs = 20_000;
        var shared = new SharedWork();
        var left = 2;
        var owners = Enumerable.Range(0, 2).Select(owner => Task.Run(() =>
        {
            var random = new Random((seed * 2) + owner);
            var flawed = 0;
            for (var run = 0; run < runs; run++)
            {
                var work = new CountedPieces(random.Next(40), spins: random.Next(2) * random.Next(200));
                shared.Run(work, work.Done.Length);
                if (work.Done.Any(times => times != 1)) flawed++;
            }

            Interlocked.Decrement(ref left);
            return flawed;
        })).ToArray();
        var helping = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (Volatile.Read(ref left) > 0) shared.Help();
        }));

        Assert.That(await Task.WhenAll(owners).WaitAsync(Long, TimeProvider.System), Is.All.Zero);
        await Task.WhenAll(helping).WaitAsync(Long, TimeProvider.System);
    }

    [Test]
    public async Task Who_helps_does_a_few_pieces_at_a_time_while_another_is_at_one_of_them()
    {
        var shared = new SharedWork();
        foreach (var count in new[] { 10, 20 })
        {
            using var work = new HeldPieces();
            var running = Task.Run(() => shared.Run(work, count));
            work.AwaitFirst();

            shared.Help();
            Assert.That(work.Done, Is.EqualTo(2));
            shared.Help();
            Assert.That(work.Done, Is.EqualTo(4));
            work.LetGo();
            await running.WaitAsync(Long, TimeProvider.System);
            Assert.That(work.Done, Is.EqualTo(count));
            shared.Help();
            Assert.That(work.Done, Is.EqualTo(count));
        }
    }

    [Test]
    public async Task The_work_is_not_over_while_who_helps_is_at_a_piece()
    {
        var shared = new SharedWork();
        using var own = new ManualResetEventSlim();
        using var helps = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        var helper = 0;
        var work = new Pieces(piece =>
        {
            if (Environment.CurrentManagedThreadId != Volatile.Read(ref helper))
            {
                own.Set();
                helps.Wait(Long);
                return;
            }

            helps.Set();
            mayEnd.Wait(Long);
        });
        var running = Task.Factory.StartNew(() => shared.Run(work, 4), TaskCreationOptions.LongRunning);
        Assert.That(own.Wait(Long));
        var helping = Task.Factory.StartNew(() =>
        {
            Volatile.Write(ref helper, Environment.CurrentManagedThreadId);
            shared.Help();
        }, TaskCreationOptions.LongRunning);
        Assert.That(helps.Wait(Long));

        Assert.That(running.Wait(TimeSpan.FromMilliseconds(50)), Is.False);
        mayEnd.Set();
        await Task.WhenAll(running, helping).WaitAsync(Long, TimeProvider.System);
    }

    [Test]
    public void A_piece_that_throws_does_so_to_who_does_it_and_holds_up_nobody()
    {
        var shared = new SharedWork();
        using var atFirst = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var isLastDone = false;
        var work = new Pieces(piece =>
        {
            isLastDone |= piece == 3;
            if (piece == 0)
            {
                atFirst.Set();
                go.Wait(Long);
            }

            if (piece is 1 or 2) throw new InvalidOperationException($"piece {piece}");
        });
        var running = Task.Run(() => shared.Run(work, 4));
        Assert.That(atFirst.Wait(Long));

        Assert.That(() => shared.Help(), Throws.InvalidOperationException);
        go.Set();
        Assert.That(
            async () => await running.WaitAsync(Long, TimeProvider.System), Throws.InvalidOperationException);
        shared.Help();
        Assert.That(isLastDone, Is.False, "nobody does it when the work has ended");
        var next = new CountedPieces(10, spins: 0);
        shared.Run(next, 10);
        shared.Help();
        Assert.That(next.Done, Is.All.EqualTo(1));
    }

    [Test]
    public async Task Of_few_pieces_nobody_gets_any()
    {
        var shared = new SharedWork();
        using var work = new HeldPieces();
        var running = Task.Run(() => shared.Run(work, 3));
        work.AwaitFirst();

        shared.Help();
        Assert.That(work.Done, Is.Zero);
        work.LetGo();
        await running.WaitAsync(Long, TimeProvider.System);
        Assert.That(work.Done, Is.EqualTo(3));
    }

    [Test]
    public async Task Who_comes_while_another_shares_does_all_alone()
    {
        var shared = new SharedWork();
        using var first = new HeldPieces();
        var running = Task.Run(() => shared.Run(first, 10));
        first.AwaitFirst();
        var second = new CountedPieces(10, spins: 0);

        shared.Run(second, 10);
        Assert.That(second.Done, Is.All.EqualTo(1));
        Assert.That(first.Done, Is.Zero);
        first.LetGo();
        await running.WaitAsync(Long, TimeProvider.System);
    }

    private sealed class Pieces(Action<int> each) : IPieces
    {
        public void Do(int piece) => each(piece);
    }

    private sealed class CountedPieces(int count, int spins) : IPieces
    {
        public int[] Done { get; } = new int[count];

        public void Do(int piece)
        {
            Thread.SpinWait(spins);
            Interlocked.Increment(ref Done[piece]);
        }
    }

    /// <summary>The first is not over until it is let go.</summary>
    private sealed class HeldPieces : IPieces, IDisposable
    {
        private readonly ManualResetEventSlim _atFirst = new();
        private readonly ManualResetEventSlim _go = new();
        private int _done;

        public int Done => Volatile.Read(ref _done);

        public void AwaitFirst() => Assert.That(_atFirst.Wait(Long));

        public void LetGo() => _go.Set();

        public void Do(int piece)
        {
            if (piece == 0)
            {
                _atFirst.Set();
                _go.Wait(Long);
            }

            Interlocked.Increment(ref _done);
        }

        public void Dispose()
        {
            _atFirst.Dispose();
            _go.Dispose();
        }
    }
}
