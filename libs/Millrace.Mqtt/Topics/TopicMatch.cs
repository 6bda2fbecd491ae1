namespace Millrace.Mqtt.Topics;

/// <summary>One who is to have a message.</summary>
/// <param name="Group">Whose turn it is among those who share the subscription; null: it has it alone.</param>
public readonly record struct TopicMatch<T>(T Subscriber, SharedGroup<T>? Group)
    where T : notnull;
