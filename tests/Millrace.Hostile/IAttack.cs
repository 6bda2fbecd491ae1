namespace Millrace.Hostile;

/// <summary>One way of doing harm. It strikes again and again until it is stopped.</summary>
public interface IAttack
{
    string Name { get; }

    /// <summary>One go. That the server ends its connections is expected; sockets it opened are closed.</summary>
    Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop);
}
