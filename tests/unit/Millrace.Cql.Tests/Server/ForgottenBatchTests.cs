using System.Collections.Concurrent;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

/// <summary>A node that has forgotten statements of a batch names one of them at a time.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class ForgottenBatchTests
{
    private const string First = "INSERT INTO ks.t (id) VALUES (?)";
    private const string Second = "DELETE FROM ks.t WHERE id = ?";
    private static readonly CqlType Text = new(CqlTypeCode.Text);

    private readonly ConcurrentQueue<string> _prepared = new();
    private readonly ConcurrentQueue<byte[]> _batches = new();
    private readonly ConcurrentDictionary<byte, bool> _known = new();

    [Test]
    public async Task Each_that_it_names_is_prepared_again_and_the_batch_is_sent_again_as_it_was()
    {
        await using var server = new FakeServer(AnswerAsync);
        await using var session = await server.ConnectAsync();
        var (insert, delete) = (await session.PrepareAsync(First), await session.PrepareAsync(Second));
        _known.Clear();

        var batch = BatchStatement.Rent();
        foreach (var id in new[] { "a", "b" }) batch.Add(insert.Bind(id)).Add(delete.Bind(id));
        Assert.That((await session.ExecuteAsync(batch)).Count, Is.Zero, "though it is not idempotent");

        Assert.That(_prepared, Is.EqualTo([First, Second, Second, First]));
        Assert.That(_batches, Has.Count.EqualTo(3));
        Assert.That(_batches, Is.All.EqualTo(_batches.First()));
    }

    [Test]
    public async Task One_that_the_batch_does_not_have_fails_it()
    {
        await using var server = new FakeServer((c, r) => r.Opcode == Opcode.Batch
            ? c.ErrorAsync(r, ServerErrorCode.Unprepared, body => body.ShortBytes([9]))
            : AnswerAsync(c, r));
        await using var session = await server.ConnectAsync();
        var insert = await session.PrepareAsync(First);

        var failure = Assert.ThrowsAsync<CqlUnpreparedException>(
            async () => await session.ExecuteAsync(BatchStatement.Rent().Add(insert.Bind("a"))));

        Assert.That(failure!.Code, Is.EqualTo("CQ-2500"));
        Assert.That(_prepared, Is.EqualTo([First]));
    }

    private Task AnswerAsync(FakeConnection connection, FakeRequest request)
    {
        if (request.Opcode == Opcode.Prepare)
        {
            _prepared.Enqueue(request.Text);
            var id = (byte)(request.Text == First ? 1 : 2);
            _known[id] = true;
            return connection.ReplyAsync(request, Opcode.Result, RingRows.Prepared([id], ("id", Text)));
        }

        if (request.Opcode != Opcode.Batch) return connection.VoidAsync(request);
        _batches.Enqueue(request.Body);
        foreach (byte id in new byte[] { 2, 1 })
        {
            if (!_known.ContainsKey(id))
                return connection.ErrorAsync(request, ServerErrorCode.Unprepared, body => body.ShortBytes([id]));
        }

        return connection.VoidAsync(request);
    }
}
