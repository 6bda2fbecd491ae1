namespace Millrace.Extensions.Assemblies;

/// <summary>A thread that makes one call at a time. After a call that did not return in time it ends.</summary>
internal sealed class CallThread
{
    private readonly SemaphoreSlim _asked = new(0);
    private readonly SemaphoreSlim _answered = new(0);
    private Func<object?[], object?>? _function;
    private object?[] _arguments = [];
    private object? _result;
    private Exception? _failure;
    private long _bytes;
    private volatile bool _isLeft;

    public CallThread() => new Thread(Run) { IsBackground = true, Name = "user function" }.Start();

    public bool TryRun(Func<object?[], object?> function, object?[] arguments, TimeSpan timeout)
    {
        (_function, _arguments) = (function, arguments);
        _asked.Release();
        if (_answered.Wait(timeout)) return true;
        _isLeft = true;
        return false;
    }

    public (object? Result, Exception? Failure, long Bytes) Take() => (_result, _failure, _bytes);

    private void Run()
    {
        while (!_isLeft)
        {
            _asked.Wait();
            var before = GC.GetAllocatedBytesForCurrentThread();
            (_result, _failure) = (null, null);
            try
            {
                _result = _function!(_arguments);
            }
            catch (Exception failure)
            {
                _failure = failure.GetBaseException();
            }

            _bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            _answered.Release();
        }
    }
}
