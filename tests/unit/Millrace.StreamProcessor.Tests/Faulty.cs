using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Stores;

namespace Millrace.StreamProcessor.Tests;

/// <summary>A store of the fixture's of which one method fails for a while.</summary>
public class Faulty<T> : DispatchProxy where T : class
{
    private T _inner = null!;
    private string _method = "";
    private int _failures;
    private int _failed;

    /// <summary>Calls that failed.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>Puts it before the one that is registered.</summary>
    public static void Register(IServiceCollection services)
    {
        var inner = services.Last(each => each.ServiceType == typeof(T)).ImplementationFactory!;
        services.AddSingleton(provider =>
        {
            var proxy = Create<T, Faulty<T>>();
            ((Faulty<T>)(object)proxy)._inner = (T)inner(provider);
            return proxy;
        });
    }

    /// <summary>So many of the next calls of the method fail.</summary>
    public void Fail(string method, int times) => (_method, _failures) = (method, times);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == _method && Interlocked.Decrement(ref _failures) >= 0)
        {
            Interlocked.Increment(ref _failed);
            throw StoreErrors.Unavailable.With("test").AsException();
        }

        return targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
