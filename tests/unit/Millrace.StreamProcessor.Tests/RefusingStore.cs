using System.Collections;
using System.Reflection;
using Millrace.Stores;

namespace Millrace.StreamProcessor.Tests;

/// <summary>A store port that refuses some rows for good, together with all that are written with them.</summary>
internal class RefusingStore : DispatchProxy
{
    private object _inner = null!;
    private Func<object, bool> _refuses = _ => false;

    public static TStore Of<TStore>(TStore inner, Func<object, bool> refuses)
        where TStore : class
    {
        var store = Create<TStore, RefusingStore>();
        var proxy = (RefusingStore)(object)store;
        (proxy._inner, proxy._refuses) = (inner, refuses);
        return store;
    }

    protected override object? Invoke(MethodInfo? method, object?[]? args)
    {
        if (method!.Name == "WriteAsync" && args!.OfType<IEnumerable>().First().Cast<object>().Any(_refuses))
            throw StoreErrors.RowRefused.With("memory").AsException();
        return method.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
