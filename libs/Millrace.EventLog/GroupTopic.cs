namespace Millrace.EventLog;

/// <summary>A consumer group, and a topic that it has committed on.</summary>
public readonly record struct GroupTopic(string Group, string Topic);
