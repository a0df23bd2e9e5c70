"""The rhythm: rate, early beats, pauses, P waves and atria, pacing; from the beats that were looked at."""
