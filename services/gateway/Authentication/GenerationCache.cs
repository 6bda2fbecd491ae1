using System.Diagnostics.CodeAnalysis;

namespace Millrace.Gateway.Authentication;

/// <summary>
/// A bounded map that forgets what was not asked for lately: when the young half is full it becomes the old half, and
/// the old one is dropped. Not safe for two threads at once.
/// </summary>
internal sealed class GenerationCache<T>(int max)
{
    private readonly int _half = Math.Max(1, max / 2);
    private Dictionary<string, T> _young = [];
    private Dictionary<string, T> _old = [];

    public bool TryGet(string key, [MaybeNullWhen(false)] out T value)
    {
        if (_young.TryGetValue(key, out value)) return true;
        if (!_old.TryGetValue(key, out value)) return false;
        Set(key, value);
        return true;
    }

    public void Set(string key, T value)
    {
        if (_young.Count >= _half && !_young.ContainsKey(key)) (_old, _young) = (_young, []);
        _young[key] = value;
    }

    public void Remove(string key)
    {
        _young.Remove(key);
        _old.Remove(key);
    }
}
