using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Stores.Sessions;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A store of sessions, of whose calls the test hears before, by name: it may hold them, or fail.</summary>
public class HeardSessions : DispatchProxy
{
    private ISessionStore _store = null!;

    public ISessionStore Inner => _store;

    public Action<string> Calling { get; set; } = _ => { };

    /// <summary>Puts one before the store of a host.</summary>
    public static void Add(IServiceCollection services, Action<HeardSessions> made)
    {
        var store = services.Last(each => each.ServiceType == typeof(ISessionStore)).ImplementationFactory!;
        services.AddSingleton(provider =>
        {
            var heard = Create<ISessionStore, HeardSessions>();
            ((HeardSessions)(object)heard)._store = (ISessionStore)store(provider);
            made((HeardSessions)(object)heard);
            return heard;
        });
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        Calling(targetMethod!.Name);
        return targetMethod.Invoke(_store, BindingFlags.DoNotWrapExceptions, binder: null, args, culture: null);
    }
}
