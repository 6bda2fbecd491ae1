using System.Runtime.ExceptionServices;

namespace Millrace.Stores.Sqlite;

/// <summary>Work of one caller that waits to be part of a transaction.</summary>
internal abstract class PendingWrite
{
    private int _claimed;
    private Exception? _failure;

    /// <summary>Whether it is known how the work ended.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Whoever claims it first decides: the transaction to run it, or its caller to give it up.</summary>
    public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    public abstract void Run(SqliteSession session);

    /// <param name="failure">Null when what the work did is committed.</param>
    public void End(Exception? failure)
    {
        _failure ??= failure;
        IsDone = true;
    }

    protected void ThrowIfFailed()
    {
        if (_failure is not null) ExceptionDispatchInfo.Throw(_failure);
    }
}

internal sealed class PendingWrite<T>(Func<SqliteSession, T> work) : PendingWrite
{
    private T? _result;

    public override void Run(SqliteSession session) => _result = work(session);

    /// <summary>What the work gave, once it is done; throws what it failed with.</summary>
    public T Result()
    {
        ThrowIfFailed();
        return _result!;
    }
}
