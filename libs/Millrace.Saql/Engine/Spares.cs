using System.Diagnostics.CodeAnalysis;

namespace Millrace.Saql.Engine;

/// <summary>
/// What was kept of keys that are gone, to be used again for others. A key's bytes are used again, too, so that each
/// goes to a key as long as the one that it had.
/// </summary>
internal sealed class Spares<T> where T : class
{
    private const int CountMax = 10_000;

    private readonly Dictionary<int, Stack<T>> _byLength = [];
    private int _count;

    public bool TryTake(int keyLength, [NotNullWhen(true)] out T? spare)
    {
        spare = null;
        if (!_byLength.TryGetValue(keyLength, out var some) || !some.TryPop(out spare)) return false;
        _count--;
        return true;
    }

    public void Put(int keyLength, T spare)
    {
        if (_count == CountMax) return;
        _count++;
        if (!_byLength.TryGetValue(keyLength, out var some)) _byLength[keyLength] = some = new Stack<T>();
        some.Push(spare);
    }
}
